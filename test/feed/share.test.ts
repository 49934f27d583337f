// What many ask for at once is read once, and is not kept for long.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { share } from '../../src/feed/share.ts'

test('who asks while it is read, or soon after, is given the same; later it is read again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const shared = share<number>({ forMs: 500, most: 4 })
  let reads = 0
  const read = async () => {
    reads += 1
    return reads
  }
  assert.deepEqual(await Promise.all([shared('a', read), shared('a', read)]), [1, 1])
  t.mock.timers.tick(499)
  assert.equal(await shared('a', read), 1)
  t.mock.timers.tick(1)
  assert.equal(await shared('a', read), 2)
})

test('every question has an answer of its own, and the oldest are not kept', async () => {
  const shared = share<string>({ forMs: 60_000, most: 2 })
  const asked: string[] = []
  const ask = (key: string) =>
    shared(key, async () => {
      asked.push(key)
      return key
    })
  for (const key of ['a', 'b', 'a', 'c', 'b', 'a']) assert.equal(await ask(key), key)
  assert.deepEqual(asked, ['a', 'b', 'c', 'a'])
})

test('a failure is told to those who wait for it, and the next to ask reads again', async () => {
  const shared = share<number>({ forMs: 60_000, most: 4 })
  const broken = async () => Promise.reject(new Error('broken'))
  const both = await Promise.allSettled([shared('a', broken), shared('a', async () => 1)])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await shared('a', async () => 2), 2)
})
