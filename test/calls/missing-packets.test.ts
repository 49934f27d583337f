import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  describeRanges,
  parseMultirange,
  type SequenceRange,
} from '../../src/calls/missing-packets.ts'

const written: readonly (readonly [name: string, ranges: SequenceRange[], text: string])[] = [
  ['nothing missing is an empty text', [], ''],
  ['one missing number is itself', [{ first: 2, end: 3 }], '2'],
  ['the packets of a small gap are listed', [{ first: 2, end: 4 }], '2,3'],
  ['a gap of exactly ten is listed', [{ first: 5, end: 15 }], '5,6,7,8,9,10,11,12,13,14'],
  ['a gap of eleven is a range', [{ first: 5, end: 16 }], '5-15'],
  ['a gap of a million is a range', [{ first: 5, end: 1_000_001 }], '5-1000000'],
  [
    'gaps of both kinds stand side by side, in order',
    [
      { first: 0, end: 1 },
      { first: 3, end: 5 },
      { first: 7, end: 40 },
      { first: 50, end: 51 },
    ],
    '0,3,4,7-39,50',
  ],
  [
    'the longest possible gap is two numbers',
    [{ first: 1, end: Number.MAX_SAFE_INTEGER }],
    '1-9007199254740990',
  ],
]

for (const [name, ranges, text] of written)
  test(name, () => assert.equal(describeRanges(ranges), text))

test("PostgreSQL's text of a multirange is read, whatever its length", () => {
  assert.deepEqual(parseMultirange('{}'), [])
  assert.deepEqual(parseMultirange('{[1,4)}'), [{ first: 1, end: 4 }])
  assert.deepEqual(parseMultirange('{[1,4),[7,8),[9007199254740991,9007199254740992)}'), [
    { first: 1, end: 4 },
    { first: 7, end: 8 },
    { first: Number.MAX_SAFE_INTEGER, end: 2 ** 53 },
  ])
})

test('what is written names exactly the missing numbers, in order', () => {
  const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(flags, (missing) => {
      const numbers = missing.flatMap((isMissing, number) => (isMissing ? [number] : []))
      assert.deepEqual(readBack(describeRanges(rangesOf(missing))), numbers)
    }),
    { numRuns: 2_000 },
  )
})

/** Runs of missing numbers; `missing[n]` says whether n is missing. */
function rangesOf(missing: readonly boolean[]): SequenceRange[] {
  const ranges: SequenceRange[] = []
  for (let first = 0; first < missing.length; first += 1) {
    if (missing[first] !== true) continue
    let end = first
    while (missing[end] === true) end += 1
    ranges.push({ first, end })
    first = end
  }
  return ranges
}

function readBack(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    assert.ok(last === first || last - first >= 10, `${part} is too short for a range`)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
