import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRange } from '../../src/recording/byte-range.ts'

const cases: readonly (readonly [string | undefined, ReturnType<typeof parseRange>])[] = [
  [undefined, undefined],
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=0-', { first: 0, last: 99 }],
  ['bytes=10-19', { first: 10, last: 19 }],
  ['bytes=99-1000', { first: 99, last: 99 }],
  ['Bytes = 10 - 19', { first: 10, last: 19 }],
  ['bytes=-1', { first: 99, last: 99 }],
  ['bytes=-100', { first: 0, last: 99 }],
  ['bytes=-1000', { first: 0, last: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=99999999999999999999-', 'unsatisfiable'],
  ['bytes=20-10', undefined],
  ['bytes=-', undefined],
  ['bytes=1-2,4-5', undefined],
  ['items=1-2', undefined],
  ['bytes=a-b', undefined],
]

for (const [header, range] of cases)
  test(`${header} of 100 bytes is ${JSON.stringify(range) ?? 'the whole'}`, () =>
    assert.deepEqual(parseRange(header, 100), range))
