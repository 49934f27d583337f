// Finds lost audio on a wire without numbers, by holding the samples that came against the time that passed.
// A delay is no loss: after a stall the samples come all the same, in a burst. So audio counts as lost only when for
// a while not even the earliest packet makes up for the deficit. Pure: time is an argument. Decision 015.

/** A gap that was found out. */
export type ClockGap = {
  /** The packet in front of which it is: the how many-th of the stream, from 0. */
  readonly packet: number
  /** Greater than 0. */
  readonly milliseconds: number
}

/** How long not even the earliest packet may make up for a deficit that counts as loss. */
const proofMs = 1_000
/** The same, for what is not so old when no more comes. */
const lastProofMs = 400
/** Of the time between two packets no more is that: the rest is a stall, after which all may come in a burst. */
const longestWaitMs = 100
/** A deficit below it may be the jitter that is left in the earliest packet of that time. */
const leastMs = 12
/** And so may be one of less than so much of a packet. */
const leastPackets = 0.6
/** A loss is of whole packets if it is so near to that, in packets; else the sender had paused. */
const noise = 0.25
/** Deficits with no more packets between them may be one loss, blurred by jitter. */
const blurredPackets = 15
/** So many lengths of packets are told apart. */
const mostLengths = 100
/** How fast the sender's clock may differ from ours before that counts as loss: 500 ppm. */
const drift = 0.0005

/** Since a packet came, the clock has always been ahead of the samples by so much, or more. */
type Step = {
  readonly packet: number
  /** How much time had passed then; stalls count as little. */
  readonly waitedMs: number
  readonly excess: number
}

/** Follows one stream. */
export class ClockGaps {
  /** By how much the clock is ahead of the samples when nothing is late and nothing but the gaps told is lost. */
  #origin = Number.POSITIVE_INFINITY
  #audioMs = 0
  #packets = 0
  /** The most frequent packet, how often it came, and how often others did. */
  #usualMs = 0
  #usualCount = 0
  readonly #others = new Map<number, number>()
  #lastAt = 0
  #waitedMs = 0
  /** In order of packets, and so of excess. */
  #steps: Step[] = []

  /**
   * Takes the next packet.
   * @param at when it came, in milliseconds of a clock that never goes back
   * @param durationMs how much audio it holds
   * @returns a gap that is now sure; it is in front of this or an earlier packet
   */
  took(at: number, durationMs: number): ClockGap | undefined {
    // A packet leaves when its last sample is spoken.
    const excess = at - durationMs - this.#audioMs
    this.#origin = Math.min(excess, this.#origin + durationMs * drift)
    this.#waitedMs += Math.min(at - this.#lastAt, Math.max(longestWaitMs, this.#usualMs))
    this.#addStep(excess)
    this.#countLength(durationMs)
    this.#packets += 1
    this.#audioMs += durationMs
    this.#lastAt = at
    return this.#findGap(proofMs)
  }

  /** No more audio is expected, for now or ever: the next gap that was not sure before, until there is none. */
  rest(): ClockGap | undefined {
    return this.#findGap(lastProofMs)
  }

  /** Audio was not expected for a time: what comes next is on time. */
  resume(): void {
    this.#origin = Number.POSITIVE_INFINITY
    this.#steps.length = 0
  }

  /** Keeps what tells from where on packets are late, for each lateness that lasts. */
  #addStep(excess: number): void {
    let step: Step = { packet: this.#packets, waitedMs: this.#waitedMs, excess }
    for (let last = this.#steps.at(-1); last !== undefined; last = this.#steps.at(-1)) {
      if (last.excess < excess) break
      step = { ...last, excess }
      this.#steps.pop()
    }
    if (excess - this.#origin < this.#leastDeficit()) this.#steps.length = 0
    else this.#steps.push(step)
  }

  #leastDeficit(): number {
    return Math.max(leastMs, leastPackets * this.#usualMs)
  }

  #findGap(proof: number): ClockGap | undefined {
    const [first] = this.#steps
    if (first === undefined || !this.#isSure(first, proof) || this.#usualMs === 0) return undefined
    const { greatest, last, steps } = this.#lossFrom(first)
    if (!this.#isSure(last, proof)) return undefined
    const lost = last.excess - this.#origin
    const milliseconds = this.#isWhole(lost) ? this.#toWhole(lost) : lost
    this.#origin += milliseconds
    this.#steps.splice(0, steps)
    return milliseconds > 0 ? { packet: greatest.packet, milliseconds } : undefined
  }

  #isSure({ waitedMs }: Step, proof: number): boolean {
    return this.#waitedMs - waitedMs >= proof
  }

  /** The steps of one loss: packets just in front of it that were late make several of it. */
  #lossFrom(first: Step): { greatest: Step; last: Step; steps: number } {
    let [greatest, last, steps] = [first, first, 0]
    let greatestRise = 0
    for (const step of this.#steps) {
      const rise = step.excess - (step === first ? this.#origin : last.excess)
      const isWhole = this.#isWhole(last.excess - this.#origin)
      if (step === first || (!isWhole && step.packet - first.packet <= blurredPackets)) {
        last = step
        if (rise > greatestRise) [greatest, greatestRise] = [step, rise]
      } else if (rise >= this.#leastDeficit()) break
      steps += 1
    }
    return { greatest, last, steps }
  }

  #isWhole(ms: number): boolean {
    return Math.abs(ms - this.#toWhole(ms)) <= this.#usualMs * noise
  }

  #toWhole(ms: number): number {
    return Math.max(Math.round(ms / this.#usualMs), 1) * this.#usualMs
  }

  #countLength(durationMs: number): void {
    if (durationMs === 0) return
    if (durationMs === this.#usualMs) {
      this.#usualCount += 1
      return
    }
    const count = (this.#others.get(durationMs) ?? 0) + 1
    if (count > this.#usualCount) {
      this.#others.delete(durationMs)
      if (this.#usualCount > 0) this.#others.set(this.#usualMs, this.#usualCount)
      this.#usualMs = durationMs
      this.#usualCount = count
    } else if (count > 1 || this.#others.size < mostLengths) this.#others.set(durationMs, count)
  }
}
