// Where the packets of a stream stand among those of its call: each track of the stream counts from 1, and goes on in
// the call from where that is. Pure.
import type { TrackName } from '../../ledger/packet.ts'

/** Where a stream stands in its call, per track: see `start_media_stream()`. */
export type Entry = {
  readonly bases: readonly number[]
  readonly quiet_ms: readonly (number | null)[]
}

type Track = {
  /** Added to a number to get its sequence in the call. */
  base: number
  /** The highest number so far. */
  last: number
  /** Milliseconds from its last packet in the call until the entry; null when that was told, or there is none. */
  quietMs: number | null
}

/** The tracks of one stream. */
export class StreamTracks {
  readonly #names: readonly TrackName[]
  readonly #tracks: ReadonlyMap<TrackName, Track>
  #hasEntered = false
  #enteredAt = 0

  constructor(names: readonly TrackName[]) {
    this.#names = names
    this.#tracks = new Map(names.map((name) => [name, { base: 0, last: 0, quietMs: null }]))
  }

  has(name: TrackName): boolean {
    return this.#tracks.has(name)
  }

  /** Gives the next packet its number. */
  next(name: TrackName): number {
    const track = this.#of(name)
    track.last += 1
    return track.last
  }

  /** A packet came with a number of its own. */
  saw(name: TrackName, number: number): void {
    const track = this.#of(name)
    track.last = Math.max(track.last, number)
  }

  /**
   * The stream goes on in a call. In another one than before it is counted from 1 again.
   * @param firsts the first number of each track that is not in the call before
   * @param at by the steady clock, in milliseconds
   */
  enter({ bases, quiet_ms }: Entry, firsts: ReadonlyMap<TrackName, number>, at: number): void {
    for (const [index, name] of this.#names.entries()) {
      const track = this.#of(name)
      const past = this.#hasEntered ? (firsts.get(name) ?? track.last + 1) - 1 : 0
      track.base = (bases[index] ?? 0) - past
      track.quietMs = quiet_ms[index] ?? null
    }
    this.#hasEntered = true
    this.#enteredAt = at
  }

  /** Negative for a packet that belongs to the call before. */
  sequenceOf(name: TrackName, number: number): number {
    return this.#of(name).base + number
  }

  numberOf(name: TrackName, sequence: number): number {
    return sequence - this.#of(name).base
  }

  /**
   * How long the track was quiet before its first packet since the entry, in whole milliseconds; `undefined` for
   * other packets, and when it had none before.
   * @param startedAt when the audio of the packet began, by the steady clock
   */
  takeQuiet(name: TrackName, startedAt: number): number | undefined {
    const track = this.#of(name)
    if (track.quietMs === null) return undefined
    const quietMs = Math.round(track.quietMs + startedAt - this.#enteredAt)
    track.quietMs = null
    return Math.max(quietMs, 1)
  }

  #of(name: TrackName): Track {
    const track = this.#tracks.get(name)
    if (track === undefined) throw new RangeError(`The stream has no track ${name}`)
    return track
  }
}
