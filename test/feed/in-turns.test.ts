// What is done for thousands lets other work come in between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTurns } from '../../src/feed/in-turns.ts'

/** Keeps the processor for so many milliseconds. */
function work(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test('other work gets its turn before all is done', async () => {
  let done = 0
  let doneBefore = -1
  setImmediate(() => {
    doneBefore = done
  })
  await inTurns(Array.from({ length: 20 }), () => {
    work(1)
    done += 1
    return true
  })
  assert.equal(done, 20)
  assert.ok(doneBefore > 0 && doneBefore < 20, `after ${doneBefore}`)
})

test('it goes on with what is added meanwhile, and stops when it is told to', async () => {
  const items = new Set([1])
  const seen: number[] = []
  await inTurns(items, (item) => {
    seen.push(item)
    items.add(item + 1)
    return item < 5
  })
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
})
