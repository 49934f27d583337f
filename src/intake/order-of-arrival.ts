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

  /** The oldest packets of a track that were on their way are settled. */
  settled(track: TrackName, packets: number): void {
    this.#open[track].removeFirst(packets)
  }

  settledFromTheFirst(): number {
    return Math.min(this.#count, ...trackNames.map((track) => this.#open[track].first))
  }
}

/** Ascending numbers: those that follow one another are one span. */
class Places {
  readonly #spans: { from: number; to: number }[] = []

  get first(): number {
    return this.#spans[0]?.from ?? Number.POSITIVE_INFINITY
  }

  add(place: number): void {
    const last = this.#spans.at(-1)
    if (last?.to === place) last.to += 1
    else this.#spans.push({ from: place, to: place + 1 })
  }

  removeFirst(count: number): void {
    let left = count
    for (;;) {
      const [span] = this.#spans
      if (span === undefined || left === 0) return
      const gone = Math.min(left, span.to - span.from)
      span.from += gone
      left -= gone
      if (span.from === span.to) this.#spans.shift()
    }
  }
}
