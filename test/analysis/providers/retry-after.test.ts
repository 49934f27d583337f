import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRetryAfter } from '../../../src/analysis/providers/retry-after.ts'

const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')

const table: readonly [value: string | undefined, seconds: number | undefined][] = [
  ['0', 0],
  ['7', 7],
  [' 7 ', 7],
  ['1.5', 1.5],
  ['3600', 3_600],
  ['3601', 3_600],
  ['1000000000', 3_600],
  ['9'.repeat(400), 3_600],
  ['-5', undefined],
  ['+5', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['soon', undefined],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['', undefined],
  [undefined, undefined],
  ['5, 5', undefined],
  ['2026-10-21T07:29:00Z', undefined],
  ['Wed, 21 Oct 2026 07:29:00 GMT', 60],
  ['Wednesday, 21-Oct-26 07:29:00 GMT', 60],
  ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
  ['Wed, 21 Oct 9999 07:00:00 GMT', 3_600],
  ['Wed, 99 Oct 2026 07:00:00 GMT', undefined],
]
for (const [value, seconds] of table)
  test(`Retry-After ${JSON.stringify(value)?.slice(0, 40)} is ${seconds} s`, () => {
    assert.equal(parseRetryAfter(value, undefined, now), seconds)
  })

test('a date is compared with the clock of the service, not with ours', () => {
  const [value, date] = ['Mon, 01 Jan 2001 00:00:30 GMT', 'Mon, 01 Jan 2001 00:00:00 GMT']
  assert.equal(parseRetryAfter(value, date, now), 30)
})

test('whatever a service says, the wait is within 0 and an hour', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (value, date) => {
      const seconds = parseRetryAfter(value, date, now)
      assert.ok(seconds === undefined || (seconds >= 0 && seconds <= 3_600))
    }),
  )
})
