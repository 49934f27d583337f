// Many calls end at once (ten thousand by `npm run test:soak`), and a quarter of all requests to the AI fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { sized } from '../support/soak.ts'

const calls = sized(1_000, 10_000)

test(`${calls} calls completed at once, a quarter of attempts failing: all archived`, async (t) => {
  const clients = 100
  await using database = await createDatabase()
  // The latency of the contract, scaled down by 100.
  await using gateways = await startFleet(database.url, 2, {
    AI_SERVICE_FAILURE_RATE: '0.25',
    AI_SERVICE_MIN_LATENCY: '0.01',
    AI_SERVICE_MAX_LATENCY: '0.03',
  })
  using pbx = createSender(gateways.urls)
  const forEachCall = async (run: (callId: string) => Promise<void>): Promise<number> => {
    const began = performance.now()
    let next = 0
    const client = async () => {
      while (next < calls) await run(`call-${next++}`)
    }
    await Promise.all(Array.from({ length: clients }, client))
    return (performance.now() - began) / 1_000
  }

  const created = await forEachCall((callId) => pbx.deliver({ callId, sequence: 1, data: callId }))
  const completed = await forEachCall(pbx.hangUp)
  const began = performance.now()
  await untilArchived(database, calls, 300_000)
  const drained = (performance.now() - began) / 1_000

  const { rows } = await database.pool.query<{ attempts: number; failed: number }>(
    `SELECT count(*) AS attempts, count(*) FILTER (WHERE outcome = 'retryable') AS failed
     FROM attempts`,
  )
  t.diagnostic(
    `created in ${created.toFixed(1)} s, completed in ${completed.toFixed(1)} s, all archived ` +
      `${drained.toFixed(1)} s later; ${rows[0]?.failed} of ${rows[0]?.attempts} attempts failed`,
  )
  await assertInvariants(database.pool, pbx.history)
  const results = await database.pool.query(
    "SELECT count(*), count(DISTINCT call) AS calls FROM events WHERE kind = 'result'",
  )
  assert.deepEqual(results.rows, [{ count: calls, calls }])
})
