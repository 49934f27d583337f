import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  countMissing,
  differencesOf,
  parseMissing,
  writeMissing,
} from '../../src/simulator/account.ts'

const plan = { packets: [], sent: 4, dropped: [2, 5, 7], duplicated: [], missing: [2, 5] }
const honest = {
  status: 'ARCHIVED',
  total_packets: 4,
  missing_packets: '2,5',
  transcription: null,
  sentiment: null,
}

test('reads numbers and ranges', () => {
  assert.deepEqual(parseMissing(''), [])
  assert.deepEqual(parseMissing('2,3,5-40'), [
    { from: 2, to: 2 },
    { from: 3, to: 3 },
    { from: 5, to: 40 },
  ])
})

test('refuses what is not ascending numbers and ranges', () => {
  for (const text of ['2,', 'two', '3,2', '2,2', '5-4', '1-3,3', ' 2', '-2'])
    assert.equal(parseMissing(text), undefined, text)
})

test('what is written reads back to the same numbers', () => {
  const numbers = fc
    .uniqueArray(fc.integer({ min: 0, max: 60 }))
    .map((list) => list.sort((a, b) => a - b))
  fc.assert(
    fc.property(numbers, (list) => {
      const ranges = parseMissing(writeMissing(list))
      assert.ok(ranges !== undefined)
      assert.equal(countMissing(ranges), list.length)
      assert.ok(
        list.every((number) => ranges.some(({ from, to }) => from <= number && number <= to)),
      )
    }),
    { numRuns: 1000 },
  )
})

test('an honest account has no differences, although the end of the call was dropped', () => {
  assert.deepEqual(differencesOf(plan, honest), [])
})

test('every kind of difference is told', () => {
  const told = (change: Partial<typeof honest>) => differencesOf(plan, { ...honest, ...change })
  assert.match(told({ total_packets: 5 }).join(), /total_packets is 5, but 4 were acknowledged/)
  assert.match(told({ missing_packets: '2' }).join(), /dropped, but not reported: 5/)
  assert.match(told({ missing_packets: '2,3,5' }).join(), /missing, but acknowledged: 3/)
  assert.match(told({ missing_packets: '0,2,5' }).join(), /missing, but acknowledged: 0/)
  assert.match(told({ missing_packets: '2,5,7' }).join(), /7 is reported missing, but never/)
  assert.match(told({ missing_packets: 'many' }).join(), /cannot be read: “many”/)
})
