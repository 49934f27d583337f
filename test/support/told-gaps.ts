// What is told of the gaps of a stream in the end: of the same one, the last word counts.
import assert from 'node:assert/strict'
import type { ClockGap } from '../../src/intake/media/clock-gaps.ts'

/** Follows the gaps of one stream, and checks that each word on one fits to the last. */
export class ToldGaps {
  readonly #gaps = new Map<number, number>()
  #words = 0

  take(gaps: readonly ClockGap[]): void {
    for (const gap of gaps) this.#take(gap)
  }

  #take({ packet, milliseconds, came }: ClockGap): void {
    assert.ok(came >= 0)
    if (packet === 0) {
      assert.ok(came > 0 && milliseconds === Number.POSITIVE_INFINITY)
      return
    }
    this.#words += 1
    const before = this.#gaps.get(packet)
    if (came === 0) assert.equal(before, undefined, `the gap before ${packet} is told again`)
    else assert.equal(milliseconds, (before ?? Number.NaN) - came)
    if (came > 0 && milliseconds === 0) this.#gaps.delete(packet)
    else {
      assert.ok(milliseconds > 0)
      this.#gaps.set(packet, milliseconds)
    }
  }

  /** The gaps by packet. */
  get all(): { readonly packet: number; readonly milliseconds: number }[] {
    return [...this.#gaps].map(([packet, milliseconds]) => ({ packet, milliseconds }))
  }

  get totalMs(): number {
    return [...this.#gaps.values()].reduce((sum, milliseconds) => sum + milliseconds, 0)
  }

  /** How often something was told. */
  get words(): number {
    return this.#words
  }
}
