import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SequenceRange } from '../../src/calls/missing-packets.ts'
import { SequenceRanges } from '../../src/ledger/sequence-ranges.ts'

const highest = Number.MAX_SAFE_INTEGER

/** Numbers that are often neighbours, and sometimes as far apart as numbers can be. */
const sequence = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.integer({ min: highest - 3, max: highest }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
)
const sequences = fc.array(sequence, { maxLength: 60 })

test('an empty set has nothing, no highest number and no gaps', () => {
  const ranges = new SequenceRanges()
  assert.equal(ranges.has(0), false)
  assert.equal(ranges.highest, undefined)
  assert.equal(ranges.length, 0)
  assert.equal(ranges.toString(), '{}')
  assert.deepEqual([...ranges.gaps(0)], [])
})

test('neighbours become one range, whichever side they come from', () => {
  const ranges = rangesOf([5, 7, 4, 8])
  assert.equal(ranges.toString(), '{[4,6),[7,9)}')
  assert.equal(ranges.add(6), true)
  assert.equal(ranges.toString(), '{[4,9)}')
  assert.equal(ranges.add(6), false)
  assert.equal(ranges.toString(), '{[4,9)}')
})

test('a jump to 2^53 - 1 costs one range', () => {
  const ranges = rangesOf([1, highest])
  assert.equal(ranges.length, 2)
  assert.equal(ranges.toString(), '{[1,2),[9007199254740991,9007199254740992)}')
  assert.equal(ranges.highest, highest)
  assert.deepEqual([...ranges.gaps(1)], [{ first: 2, end: highest }])
  assert.equal(ranges.add(highest), false)
  assert.equal(ranges.add(highest - 1), true)
  assert.equal(ranges.length, 2)
})

test('gaps start at the base, wherever that lies', () => {
  const ranges = rangesOf([3, 4, 8])
  assert.deepEqual([...ranges.gaps(0)], [gap(0, 3), gap(5, 8)])
  assert.deepEqual([...ranges.gaps(1)], [gap(1, 3), gap(5, 8)])
  assert.deepEqual([...ranges.gaps(3)], [gap(5, 8)])
  assert.deepEqual([...ranges.gaps(6)], [gap(6, 8)])
  assert.deepEqual([...ranges.gaps(9)], [])
})

test('holds exactly the numbers that were added, as a Set does', () => {
  fc.assert(
    fc.property(sequences, fc.array(sequence), (added, asked) => {
      const ranges = new SequenceRanges()
      const naive = new Set<number>()
      for (const number of added) {
        assert.equal(ranges.add(number), !naive.has(number))
        naive.add(number)
      }
      for (const number of [...added, ...asked]) assert.equal(ranges.has(number), naive.has(number))
      assert.equal(ranges.highest, naive.size === 0 ? undefined : Math.max(...naive))
    }),
    { numRuns: 2_000 },
  )
})

test('its gaps and its ranges together are every number up to the highest, once', () => {
  fc.assert(
    fc.property(sequences, fc.constantFrom(0, 1), (added, base) => {
      const ranges = rangesOf(added)
      const received = [...new Set(added)].filter((number) => number >= base)
      const expected: SequenceRange[] = []
      let next = base
      for (const number of received.sort((a, b) => a - b)) {
        if (number > next) expected.push(gap(next, number))
        next = number + 1
      }
      assert.deepEqual([...ranges.gaps(base)], expected)
      const inside = expected.filter(({ first }) => first > Math.min(...added)).length
      assert.equal(ranges.length, added.length === 0 ? 0 : inside + 1)
    }),
    { numRuns: 2_000 },
  )
})

test('what is written reads back to the same set, in whatever order it was filled', () => {
  fc.assert(
    fc.property(sequences, (added) => {
      const text = rangesOf(added).toString()
      assert.match(text, /^\{(\[\d+,\d+\)(,\[\d+,\d+\))*)?\}$/)
      const again = SequenceRanges.parse(text)
      assert.equal(again.toString(), text)
      assert.equal(again.highest, added.length === 0 ? undefined : Math.max(...added))
      for (const number of added) assert.equal(again.add(number), false)
      assert.equal(rangesOf(added.toReversed()).toString(), text)
    }),
    { numRuns: 2_000 },
  )
})

function rangesOf(numbers: Iterable<number>): SequenceRanges {
  const ranges = new SequenceRanges()
  for (const number of numbers) ranges.add(number)
  return ranges
}

function gap(first: number, end: number): SequenceRange {
  return { first, end }
}
