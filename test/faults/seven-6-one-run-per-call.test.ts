// Fault 6: the AI had one call at a time, or one run for every packet of a call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'

test('7.6 calls are analysed side by side up to the limit, each in one run', async (t) => {
  const [calls, packets, concurrency] = [60, 40, 20]
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1, {
    ANALYSIS_CONCURRENCY: `${concurrency}`,
    AI_SERVICE_MIN_LATENCY: '0.3',
    AI_SERVICE_MAX_LATENCY: '0.5',
  })
  using pbx = createSender(gateways.urls)
  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      const callId = `call-${number}`
      for (let sequence = 1; sequence <= packets; sequence += 1)
        await pbx.deliver({ callId, sequence, data: `packet ${sequence}` })
      await pbx.hangUp(callId)
    }),
  )
  await untilArchived(database, calls)
  const { rows } = await database.pool.query<{ runs: number; at_once: number }>(
    `SELECT count(*) AS runs, max(running) AS at_once FROM (
       SELECT (SELECT count(*) FROM attempts AS other
         WHERE other.started_at <= attempts.started_at AND other.ended_at > attempts.started_at
       ) AS running FROM attempts) AS counted`,
  )
  assert.equal(rows[0]?.runs, calls)
  const atOnce = rows[0]?.at_once ?? 0
  t.diagnostic(`${atOnce} analyses at once, of at most ${concurrency}`)
  assert.ok(atOnce > concurrency / 2 && atOnce <= concurrency, `${atOnce} at once`)
  await assertInvariants(database.pool, pbx.history)
})
