// How many of the packets of a stream are settled without a hole, counted from the first. Tracks are settled
// each in its own order, so that is less than all that are settled. Pure.
import { type TrackName, trackNames } from '../ledger/packet.ts'

/** Counts the packets of one stream. */
export class OrderOfArrival {
  #count = 0
  readonly #open: Readonly<Record<TrackName, Places>> = {
    inbound: new Places(),
    outbound: new Places(),
    mixed: new Places(),
  }

  /** The next packet of the stream is on its way. */
  sent(track: TrackName): void {
    this.#open[track].add(this.#count)
    this.#count += 1
  }

  /** The next one needs no way: it is refused. */
  skipped(): void {
    this.#count += 1
  }

  /** The oldest packet of a track that was on its way is settled. */
  settled(track: TrackName): void {
    this.#open[track].removeFirst()
  }

  settledFromTheFirst(): number {
    return Math.min(this.#count, ...trackNames.map((track) => this.#open[track].first))
  }
}

/** A line of numbers, with a cheap way out at the front. */
class Places {
  #places: number[] = []
  #gone = 0

  add(place: number): void {
    this.#places.push(place)
  }

  get first(): number {
    return this.#places[this.#gone] ?? Number.POSITIVE_INFINITY
  }

  removeFirst(): void {
    this.#gone += 1
    if (this.#gone < 1_024 || this.#gone * 2 < this.#places.length) return
    this.#places = this.#places.slice(this.#gone)
    this.#gone = 0
  }
}
