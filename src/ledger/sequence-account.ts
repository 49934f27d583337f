// What one packet after the other means for a track: new, duplicate, late, opening a gap, and what is missing
// then. Pure. PostgreSQL keeps the account; this replays a committed batch on top of what the track had
// before, to tell every sender about its own packet.
import { describeRanges } from '../calls/missing-packets.ts'
import { SequenceRanges } from './sequence-ranges.ts'

/** What a packet turned out to be. */
export type PacketVerdict = {
  readonly duplicate: boolean
  /** A higher number had arrived before; the packet is new all the same. */
  readonly late: boolean
  /** Numbers below it, and above all received before, are missing. */
  readonly opensGap: boolean
}

/** What a track had received before a batch. */
export type PriorAccount = {
  readonly received: SequenceRanges
  /** Packet 0 was seen: the track counts from 0, else from 1. */
  readonly hasZero: boolean
  /** Below it, missing numbers are a count only and are not listed. */
  readonly horizon: number
}

/** The account of a track before its first packet. */
export function emptyAccount(): PriorAccount {
  return { received: new SequenceRanges(), hasZero: false, horizon: 0 }
}

const mostGapsListed = 100

/** The verdict on a packet that simply follows the one before. */
export const inOrder: PacketVerdict = { duplicate: false, late: false, opensGap: false }
const repeated: PacketVerdict = { ...inOrder, duplicate: true }

/** The account of a track, continued packet by packet. */
export class SequenceAccount {
  readonly #received: SequenceRanges
  readonly #horizon: number
  #hasZero: boolean
  #missing: string | undefined

  constructor(prior: PriorAccount) {
    this.#received = prior.received
    this.#hasZero = prior.hasZero
    this.#horizon = prior.horizon
  }

  /** Takes the next packet, in the order of arrival. */
  receive(sequence: number): PacketVerdict {
    const highest = this.#received.highest ?? (this.#hasZero || sequence === 0 ? -1 : 0)
    if (!this.#received.add(sequence)) return repeated
    if (sequence === 0) this.#hasZero = true
    if (sequence === highest + 1) return inOrder
    this.#missing = undefined
    return { duplicate: false, late: sequence < highest, opensGap: sequence > highest + 1 }
  }

  /** What was received, as PostgreSQL writes an int8multirange. */
  get received(): string {
    return this.#received.toString()
  }

  /** True when the number was received. */
  has(sequence: number): boolean {
    return this.#received.has(sequence)
  }

  /** True when so much is missing that {@link missing} lists the newest part of it only. */
  get isMissingMuch(): boolean {
    return this.#received.length > mostGapsListed
  }

  /** What is missing now, at most the newest 100 gaps: `"2,3"`, `"5-1000000"`, `""`. */
  missing(): string {
    const base = Math.max(this.#horizon, this.#hasZero ? 0 : 1)
    this.#missing ??= describeRanges(this.#received.gaps(base, mostGapsListed))
    return this.#missing
  }
}
