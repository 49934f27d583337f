// The account of a track as anybody would keep it who has no thousand calls to serve: a set of numbers,
// sorted anew for every question. The ledger is held against it.
import { isDeepStrictEqual } from 'node:util'
import type { PacketReceipt } from '../../src/ledger/packet.ts'

/** From `first` to `last`, both missing. */
export type Gap = { readonly first: number; readonly last: number }

/** What a track has received, packet by packet. */
export class NaiveTrack {
  readonly received = new Set<number>()
  duplicates = 0
  late = 0

  /** Takes the next packet; false when it was there already. */
  take(sequence: number): boolean {
    if (this.received.has(sequence)) {
      this.duplicates += 1
      return false
    }
    if (sequence < this.highest) this.late += 1
    this.received.add(sequence)
    return true
  }

  /** Takes the next packet and says what its sender is to be told. */
  receive(sequence: number): PacketReceipt {
    const gapsBefore = this.gaps()
    const lateBefore = this.late
    const duplicate = !this.take(sequence)
    const late = this.late > lateBefore
    const opensGap = !duplicate && !late && !isDeepStrictEqual(gapsBefore, this.gaps())
    return { duplicate, late, opensGap, missing: this.missing() }
  }

  /** The greatest number received; 0 before the first. */
  get highest(): number {
    return Math.max(0, ...this.received)
  }

  /** The numbers received, ascending. */
  sorted(): number[] {
    return [...this.received].sort((a, b) => a - b)
  }

  /** What is missing between the base (0 once 0 was seen, else 1) and the highest. */
  gaps(): Gap[] {
    const gaps: Gap[] = []
    let expected = this.received.has(0) ? 0 : 1
    for (const sequence of this.sorted()) {
      if (sequence > expected) gaps.push({ first: expected, last: sequence - 1 })
      expected = sequence + 1
    }
    return gaps
  }

  /** How many numbers are missing. */
  missingCount(): number {
    return this.gaps().reduce((sum, { first, last }) => sum + (last - first + 1), 0)
  }

  /** The gaps as clients read them. */
  missing(): string {
    return this.gaps().map(writeGap).join(',')
  }
}

function writeGap({ first, last }: Gap): string {
  if (last - first + 1 > 10) return `${first}-${last}`
  const numbers: number[] = []
  for (let number = first; number <= last; number += 1) numbers.push(number)
  return numbers.join(',')
}
