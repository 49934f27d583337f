// Pages of the event log: shared by those who come back together, and exact where one ends and the next begins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishEvents } from '../../src/feed/event-log.ts'
import { createPages } from '../../src/feed/pages.ts'
import { createDatabase } from '../support/database.ts'
import { callIds, storeCalls } from '../support/results.ts'

const positions = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('those who ask together are given what was read once; once something happens it is read again', async () => {
  await using database = await createDatabase()
  const { pool } = database
  let reads = 0
  const readPage = createPages(pool, (events) => {
    reads += 1
    return events.map(({ position }) => position)
  })
  await storeCalls(pool, callIds('early', 3))
  await publishEvents(pool, 100)
  const together = await Promise.all(Array.from({ length: 50 }, () => readPage(0, 3)))
  for (const page of together) assert.deepEqual(page, { items: [1, 2, 3], reached: 3 })
  assert.equal(reads, 1)

  await storeCalls(pool, callIds('late', 1))
  await publishEvents(pool, 100)
  assert.deepEqual(await readPage(0, 4), { items: [1, 2, 3, 4], reached: 4 })
  assert.equal(reads, 2)
})

test('page follows page without a hole, and the last one reaches as far as the log, whatever was erased', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const readPage = createPages(pool, (events) => events.map(({ position }) => position))
  await storeCalls(pool, callIds('many', 503))
  await publishEvents(pool, 1_000)
  assert.deepEqual(await readPage(0, 503), { items: positions(1, 500), reached: 500 })
  assert.deepEqual(await readPage(500, 503), { items: [501, 502, 503], reached: 503 })

  await pool.query('DELETE FROM events WHERE position > 501')
  assert.deepEqual(await readPage(499, 503), { items: [500, 501], reached: 503 })
})
