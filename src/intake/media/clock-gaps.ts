// Finds lost audio on a wire without numbers, by holding the samples that came against the time that passed.
// A delay is no loss: after a stall on the network the samples come all the same, in a burst. So audio counts
// as lost only when for a while not even the earliest packet makes up for the deficit. Pure: time is an argument.

/** A gap that was found out. */
export type ClockGap = {
  /** The packet in front of which it is: the how many-th of the stream, from 0. */
  readonly packet: number
  readonly milliseconds: number
}

/** How long not even the earliest packet may make up for a deficit before it counts as lost. */
const proofMs = 400
/** Deficits below it are the jitter of clocks and schedulers. */
const leastGapMs = 35
/** How fast the sender's clock may differ from ours before that counts as loss: 500 ppm. */
const drift = 0.0005

/** A packet that came later than its place among the samples. */
type Straggler = { readonly packet: number; readonly at: number; readonly excess: number }

/** Follows one stream. */
export class ClockGaps {
  /** By how much the clock is ahead of the samples of a stream that has lost nothing but the gaps found. */
  #origin = Number.POSITIVE_INFINITY
  #lastAt = 0
  #audioMs = 0
  #packets = 0
  #packetMs = 0
  #stragglers: Straggler[] = []

  /**
   * Takes the next packet.
   * @param at when it came, in milliseconds of a clock that never goes back
   * @param durationMs how much audio it holds
   * @returns a gap that is now sure; it is in front of this or an earlier packet
   */
  took(at: number, durationMs: number): ClockGap | undefined {
    // A packet leaves when its last sample is spoken.
    const excess = at - durationMs - this.#audioMs
    const creep = (at - this.#lastAt) * drift
    this.#origin = Math.min(excess, this.#origin + creep)
    const packet = this.#packets
    this.#packets += 1
    this.#packetMs = durationMs
    this.#audioMs += durationMs
    this.#lastAt = at
    if (excess - this.#origin < leastGapMs) {
      this.#stragglers.length = 0
      return undefined
    }
    this.#stragglers.push({ packet, at, excess })
    return this.#findGap(at - proofMs)
  }

  /** Audio was not expected for a time: what comes next is on time. */
  resume(): void {
    this.#origin = Number.POSITIVE_INFINITY
    this.#stragglers.length = 0
  }

  /** The stream is over: the next gap that could not be sure yet, until there is none. */
  end(): ClockGap | undefined {
    return this.#findGap(Number.POSITIVE_INFINITY)
  }

  /** The first gap behind which there is nothing but stragglers, for long enough. */
  #findGap(before: number): ClockGap | undefined {
    let first = this.#stragglers.length
    let least = Number.POSITIVE_INFINITY
    while (first > 0) {
      const excess = this.#stragglers[first - 1]?.excess ?? 0
      if (excess - this.#origin < leastGapMs) break
      least = Math.min(least, excess)
      first -= 1
    }
    this.#stragglers.splice(0, first)
    const straggler = this.#stragglers[0]
    if (straggler === undefined || straggler.at > before) return undefined
    // Audio is lost in whole packets; a sender that keeps its clock makes the deficit nearly that.
    const packets = Math.max(Math.round((least - this.#origin) / this.#packetMs), 1)
    const milliseconds = packets * this.#packetMs
    this.#origin += milliseconds
    return { packet: straggler.packet, milliseconds }
  }
}
