// A set of sequence numbers as sorted, disjoint ranges: a jump from 1 to 2^53 - 1 costs one more range, not
// a number each. Pure. The same thing is an int8multirange in PostgreSQL, and the two are written alike.
import { parseMultirange, type SequenceRange } from '../calls/missing-packets.ts'

/** A mutable set of sequence numbers (whole, 0 … 2^53 - 1). */
export class SequenceRanges {
  readonly #firsts: number[] = []
  readonly #ends: number[] = []

  /** Reads PostgreSQL's text of an int8multirange. */
  static parse(text: string): SequenceRanges {
    const ranges = new SequenceRanges()
    for (const { first, end } of parseMultirange(text)) {
      ranges.#firsts.push(first)
      ranges.#ends.push(end)
    }
    return ranges
  }

  /** The text that PostgreSQL reads as an int8multirange. */
  toString(): string {
    return `{${this.#firsts.map((first, index) => `[${first},${this.#ends[index]})`).join(',')}}`
  }

  /** How many ranges there are. */
  get length(): number {
    return this.#firsts.length
  }

  /** The greatest number of the set, or `undefined` when it is empty. */
  get highest(): number | undefined {
    const end = this.#ends.at(-1)
    return end === undefined ? undefined : end - 1
  }

  has(sequence: number): boolean {
    const end = this.#ends[this.#indexBefore(sequence)]
    return end !== undefined && sequence < end
  }

  /** Adds a number; false when the set had it already. */
  add(sequence: number): boolean {
    const index = this.#indexBefore(sequence)
    const end = this.#ends[index]
    if (end !== undefined && sequence < end) return false
    const touchesBefore = end === sequence
    const touchesAfter = this.#firsts[index + 1] === sequence + 1
    if (touchesBefore && touchesAfter) {
      this.#ends.splice(index, 1)
      this.#firsts.splice(index + 1, 1)
    } else if (touchesBefore) this.#ends[index] = sequence + 1
    else if (touchesAfter) this.#firsts[index + 1] = sequence
    else {
      this.#firsts.splice(index + 1, 0, sequence)
      this.#ends.splice(index + 1, 0, sequence + 1)
    }
    return true
  }

  /** The holes from `base` up to the highest number, in order; of many the newest, at most `limit`. */
  *gaps(base: number, limit = Number.POSITIVE_INFINITY): Generator<SequenceRange> {
    const start = Math.max(0, this.#firsts.length - limit)
    let first = Math.max(base, this.#ends[start - 1] ?? base)
    for (let index = start; index < this.#firsts.length; index += 1) {
      const end = this.#firsts[index] ?? first
      if (end > first) yield { first, end }
      first = Math.max(first, this.#ends[index] ?? first)
    }
  }

  /** The index of the last range that starts at or before the number; -1 when there is none. */
  #indexBefore(sequence: number): number {
    let low = 0
    let high = this.#firsts.length
    // Packets mostly arrive in order: look at the last range first.
    if ((this.#firsts.at(-1) ?? Number.POSITIVE_INFINITY) <= sequence) return high - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#firsts[middle] ?? 0) <= sequence) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
