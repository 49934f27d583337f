import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'

test('PostgreSQL keeps no statistics of the packets themselves, however many there are', async () => {
  await using database = await createDatabase()
  for (const callId of ['a', 'b']) await storeCall(database.pool, callId)
  await database.pool.query('ANALYZE segments')
  const { rows } = await database.pool.query(
    `SELECT attname FROM pg_stats WHERE tablename = 'segments' ORDER BY attname`,
  )
  assert.deepEqual(
    rows.map(({ attname }) => attname),
    ['call', 'encoding', 'first_sequence', 'last_sequence', 'received_at', 'track'],
  )
})
