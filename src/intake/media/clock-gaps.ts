// Finds lost audio on a wire without numbers, by holding the samples that came against the time that passed.
// A delay is no loss: the samples come all the same, faster than time passes. So audio counts as lost only when for a
// while no packet makes up for more of the deficit; and what comes after all is taken back. Pure: time is an argument.
// Decision 015.

/** A gap that was found out, or found to be shorter than it was told. */
export type ClockGap = {
  /**
   * The packet in front of which it is: the how many-th of the stream, from 0. In front of packet 0 is the time before
   * the stream: no clock ran then, but it may turn out to have been shorter.
   */
  readonly packet: number
  /** How long it is now; 0 when all of it came. Infinite before the stream. */
  readonly milliseconds: number
  /** How much of it came after all since it was told; 0 for one that was not told before. */
  readonly came: number
}

/** How long no packet may make up for more of a deficit that counts as loss, beyond jitter. */
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
/** Packets that follow each other in less than so much of their length catch up. */
const unhurried = 0.9
/** Of so many gaps, the last ones, some may come after all. */
const mostTold = 100
/** So many lengths of packets are told apart. */
const mostLengths = 100
/** How fast the sender's clock may differ from ours before that counts as loss: 500 ppm. */
const drift = 0.0005

/** Since a packet came, the clock has always been ahead of the samples by so much, or more. */
type Step = {
  readonly packet: number
  readonly excess: number
  /** Since when nothing made up for more of it, in time that passed, of which stalls are little; and its excess then. */
  readonly waitedMs: number
  readonly highest: number
}

/** Follows one stream. */
export class ClockGaps {
  /** By how much the clock is ahead of the samples when nothing is late and nothing but the gaps told is lost. */
  #origin = Number.POSITIVE_INFINITY
  /** The same if nothing of the gaps told had come after all: above it by the surplus that is not taken back yet. */
  #toldOrigin = Number.NEGATIVE_INFINITY
  /** What may come after all, in order of packets. */
  readonly #told: ClockGap[] = [{ packet: 0, milliseconds: Number.POSITIVE_INFINITY, came: 0 }]
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
   * @returns gaps that are now sure, or of which some came after all; each in front of this or an earlier packet
   */
  took(at: number, durationMs: number): readonly ClockGap[] {
    // A packet leaves when its last sample is spoken.
    const excess = at - durationMs - this.#audioMs
    const sinceLast = at - this.#lastAt
    this.#origin = Math.min(excess, this.#origin + durationMs * drift)
    const forgottenMs = Math.min(sinceLast, durationMs) * 2 * drift
    this.#toldOrigin = Math.max(this.#origin, this.#toldOrigin - forgottenMs)
    this.#waitedMs += Math.min(sinceLast, Math.max(longestWaitMs, this.#usualMs))
    this.#addStep(excess)
    this.#countLength(durationMs)
    this.#packets += 1
    this.#audioMs += durationMs
    this.#lastAt = at
    return sinceLast < durationMs * unhurried ? [] : this.#find(proofMs)
  }

  /** No more audio is expected, for now or ever: what was not sure before. */
  rest(): readonly ClockGap[] {
    return this.#find(lastProofMs)
  }

  /** Audio was not expected for a time: what comes next is on time. */
  resume(): void {
    this.#origin = Number.POSITIVE_INFINITY
    this.#toldOrigin = Number.NEGATIVE_INFINITY
    this.#told.length = 0
    this.#steps.length = 0
  }

  /** Keeps what tells from where on packets are late, for each lateness that lasts. */
  #addStep(excess: number): void {
    const proof = { waitedMs: this.#waitedMs, highest: excess }
    let step: Step = { packet: this.#packets, excess, ...proof }
    for (let last = this.#steps.at(-1); last !== undefined; last = this.#steps.at(-1)) {
      if (last.excess < excess) break
      step = { ...last, excess }
      this.#steps.pop()
    }
    if (step.highest - excess >= this.#leastDeficit()) step = { ...step, ...proof }
    if (excess - this.#origin < this.#leastDeficit()) this.#steps.length = 0
    else this.#steps.push(step)
  }

  #find(proof: number): readonly ClockGap[] {
    const gaps: ClockGap[] = []
    for (;;) {
      const gap = this.#takeBack() ?? this.#findGap(proof)
      if (gap === undefined) return gaps
      gaps.push(gap)
    }
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
    this.#steps.splice(0, steps)
    if (milliseconds <= 0) return undefined
    // What came before the first gap that may come after all has nothing to do with it.
    if (this.#told.length === 0) this.#toldOrigin = this.#origin
    this.#origin += milliseconds
    this.#toldOrigin += milliseconds
    const gap = { packet: greatest.packet, milliseconds, came: 0 }
    this.#told.push(gap)
    if (this.#told.length > mostTold) this.#told.shift()
    return gap
  }

  /** More audio came than time passed: so much of the last gap was none, and then of the one before it. */
  #takeBack(): ClockGap | undefined {
    const last = this.#told.at(-1)
    const surplus = this.#toldOrigin - this.#origin
    if (last === undefined || !(surplus >= this.#leastSurplus(last))) return undefined
    const came = this.#cameOf(last, surplus)
    const gap = { packet: last.packet, milliseconds: last.milliseconds - came, came }
    this.#toldOrigin -= came
    this.#told.pop()
    if (gap.milliseconds > 0) this.#told.push(gap)
    return gap
  }

  /** What is left of a gap of which some came is jitter as soon as it may be. */
  #leastSurplus({ milliseconds, came }: ClockGap): number {
    const least = this.#leastDeficit()
    return came > 0 ? Math.min(milliseconds - least, least) : least
  }

  /** A rest that may be jitter is none, and whole packets stay whole. */
  #cameOf({ milliseconds }: ClockGap, surplus: number): number {
    const left = milliseconds - surplus
    if (left <= this.#leastDeficit()) return milliseconds
    return this.#isWhole(milliseconds) && this.#isWhole(left)
      ? milliseconds - this.#toWhole(left)
      : surplus
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
