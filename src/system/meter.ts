// What this process does, counted where it happens and read from time to time.
import { emptyHistogram, stepOf } from './histogram.ts'

/** What is counted of a commit. */
export type CountedCommit = {
  readonly callIds: readonly string[]
  readonly packets: number
  readonly lost: number
  readonly milliseconds: number
}

/** What was counted in a stretch of time. */
export type Stretch = {
  /** How long it was. */
  readonly seconds: number
  readonly packets: number
  readonly lost: number
  readonly commitTimes: number[]
  /** How many calls packets came of. */
  readonly calls: number
}

/** Counts, and gives what was counted since it was read last. */
export class Meter {
  readonly #now: () => number
  #since: number
  #packets = 0
  #lost = 0
  #commitTimes = emptyHistogram()
  #calls = new Set<string>()

  /** @param now a steady clock, in milliseconds */
  constructor(now: () => number) {
    this.#now = now
    this.#since = now()
  }

  committed({ callIds, packets, lost, milliseconds }: CountedCommit): void {
    this.#packets += packets
    this.#lost += lost
    const step = stepOf(milliseconds)
    this.#commitTimes[step] = (this.#commitTimes[step] ?? 0) + 1
    for (const callId of callIds) this.#calls.add(callId)
  }

  read(): Stretch {
    const now = this.#now()
    const stretch = {
      seconds: Math.max(now - this.#since, 1) / 1_000,
      packets: this.#packets,
      lost: this.#lost,
      commitTimes: this.#commitTimes,
      calls: this.#calls.size,
    }
    this.#since = now
    this.#packets = 0
    this.#lost = 0
    this.#commitTimes = emptyHistogram()
    this.#calls = new Set()
    return stretch
  }
}
