import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurnClock } from '../../src/ledger/turn-clock.ts'

test('the clock stands still as long as nobody gives way, and is looked at again after that', async () => {
  let readings = 0
  const clock = createTurnClock(() => {
    readings += 1
    return readings
  })
  assert.deepEqual([clock(), clock(), clock()], [1, 1, 1])
  await Promise.resolve()
  assert.deepEqual([clock(), clock()], [2, 2])
  await new Promise(setImmediate)
  assert.deepEqual([clock(), clock()], [3, 3])
  assert.equal(readings, 3)
})
