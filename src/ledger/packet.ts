// The words of the ledger: what comes in, and what the sender is told once it is durable.
import type { ByteRange } from '../byte-range.ts'
import type { GatewayError } from '../errors.ts'
import type { PacketVerdict } from './sequence-account.ts'

/** Whose voice a packet carries: the customer, the agent or bot, or both on one line. */
export const trackNames = ['inbound', 'outbound', 'mixed'] as const
export type TrackName = (typeof trackNames)[number]

/** A packet that has passed its intake's validation. Its payload is the range. */
export type Packet = ByteRange & {
  readonly callId: string
  readonly track: TrackName
  /** 0 … 2^53 - 1. */
  readonly sequence: number
  /** The sender's clock, in the sender's unit. */
  readonly timestamp: number
  /** `text`: the UTF-8 of what the sender wrote; `binary`: raw media. */
  readonly encoding: 'text' | 'binary'
}

/**
 * Packets of which each has the sequence after the one before, and a payload of the same size that follows in memory: the
 * range is all of those.
 */
export type PacketRun = Omit<Packet, 'timestamp'> & {
  /** Of each packet; `sequence` is that of the first. */
  readonly timestamps: readonly number[]
  /** Of each payload, in bytes. */
  readonly size: number
}

/** What became of a packet. It is durable: the transaction that holds it (or its first copy) is committed. */
export type PacketReceipt = PacketVerdict & {
  /**
   * What the track misses as of this packet: `"2,3"`, `""` when nothing. Of more than 100 gaps the newest,
   * as of the commit.
   */
  readonly missing: string
}

/** True for a packet that its sender is warned of: a duplicate, a late one, or one that opens a gap. */
export function isIrregular({ duplicate, late, opensGap }: PacketReceipt): boolean {
  return duplicate || late || opensGap
}

/**
 * Who is told what became of packets: once for each, those of a track in the order they were handed in; at once of those
 * that came at once and have the same outcome. Payloads are overwritten later: who needs them for longer copies them.
 */
export type PacketSender<Receipt = PacketReceipt> = {
  readonly settled: (packets: PacketRun, outcome: Receipt | GatewayError) => void
}
