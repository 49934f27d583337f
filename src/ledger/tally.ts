// What a commit adds to the figures of a process. Pure.
import type { PacketReceipt } from './packet.ts'
import { type PacketGroup, sequencesOf } from './packet-group.ts'

/** What one commit did. */
export type CommitTally = {
  /** The calls of which packets were committed. */
  readonly callIds: readonly string[]
  /** Packets taken, repeats included. */
  readonly packets: number
  /** Packets that are missing since, less those that were missing and came; may be negative. */
  readonly lost: number
  /** How long the database took. */
  readonly milliseconds: number
}

/**
 * How many more packets of a track are missing since a group was committed.
 * @param prior what the track had received before, as PostgreSQL writes it
 */
export function lostBy(
  group: PacketGroup,
  prior: string,
  told: readonly (PacketReceipt | Error)[],
): number {
  const sequences = sequencesOf(group)
  let lost = 0
  let highest: number | undefined
  for (const [place, receipt] of told.entries()) {
    const sequence = sequences[place]
    if (receipt instanceof Error || receipt.duplicate || sequence === undefined) continue
    if (receipt.late) {
      lost -= sequence > 0 ? 1 : 0
      continue
    }
    if (receipt.opensGap) lost += sequence - (highest ?? highestOf(prior)) - 1
    highest = sequence
  }
  return lost
}

/** The highest number of `{[1,4),[7,9)}`; 0 of an empty one, which counts from 1. */
function highestOf(ranges: string): number {
  return Number(ranges.slice(ranges.lastIndexOf(',') + 1, -2) || 1) - 1
}
