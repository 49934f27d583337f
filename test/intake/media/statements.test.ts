// Silences that were told too long, in a real database.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { recordSilences } from '../../../src/calls/media-streams.ts'
import { shortenSilences } from '../../../src/intake/media/statements.ts'
import { createDatabase } from '../../support/database.ts'
import { mediaEvents, storedSilences } from '../../support/media-calls.ts'

const database = await createDatabase()
after(() => database[Symbol.asyncDispose]())
const { pool } = database

test('a silence is only ever shortened, and told of once, however often that is written', async () => {
  const { rows } = await pool.query(
    `INSERT INTO calls (call_id, due_at) VALUES ('CALL', now()) RETURNING id`,
  )
  const call = Number(rows[0]?.id)
  const tracks = ['inbound', 'outbound', 'inbound', 'inbound']
  const before = [5, 5, 9, 9]
  const causes = ['clock', 'clock', 'clock', 'reconnect'] as const
  await recordSilences(pool, call, tracks, before, [800, 800, 40, 40], causes)
  const told = (await mediaEvents(pool, 'CALL')).length
  for (let time = 0; time < 2; time += 1)
    await shortenSilences(pool, call, tracks, before, [200, 0, 60, 40], causes)
  assert.deepEqual(await storedSilences(pool, 'CALL'), [
    { track: 'inbound', before_sequence: 5, milliseconds: 200, cause: 'clock' },
    { track: 'inbound', before_sequence: 9, milliseconds: 40, cause: 'clock' },
    { track: 'inbound', before_sequence: 9, milliseconds: 40, cause: 'reconnect' },
  ])
  const again = (await mediaEvents(pool, 'CALL')).slice(told)
  assert.deepEqual(
    again.toSorted((one, other) => Number(other.milliseconds) - Number(one.milliseconds)),
    [
      {
        event: 'no_audio',
        track: 'inbound',
        before_sequence: 5,
        milliseconds: 200,
        cause: 'clock',
      },
      { event: 'no_audio', track: 'outbound', before_sequence: 5, milliseconds: 0, cause: 'clock' },
    ],
  )
})
