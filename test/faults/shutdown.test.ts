// SIGTERM under load: a rolling restart, as an operator does it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { assertGaveBack, endlessLeases } from '../support/leases.ts'
import { startLoad } from '../support/load.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

test('a rolling restart under load loses no packet, and each gateway exits with 0', async (t) => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, {
    ...endlessLeases,
    AI_SERVICE_MIN_LATENCY: '0.2',
    AI_SERVICE_MAX_LATENCY: '0.2',
  })
  using pbx = createSender(gateways.urls)
  const load = startLoad(pbx, { clients: 6, packetsPerCall: 40, window: 3, seed: 1 })
  const seconds: string[] = []
  for (const place of [0, 1, 0, 1]) {
    const enough = pbx.history.length + 300
    await until('some packets more', () => pbx.history.length > enough)
    const leaving = gateways.at(place)
    const began = performance.now()
    leaving.kill('SIGTERM')
    assert.equal(await leaving.exited, 0)
    seconds.push(((performance.now() - began) / 1_000).toFixed(2))
    await assertGaveBack(database, [leaving.pid])
    await gateways.replace(place)
  }
  const calls = await load.stop()
  await untilArchived(database, calls.length)
  t.diagnostic(
    `shutdowns took ${seconds.join(', ')} s; of ${pbx.history.length} packet requests ` +
      `${count(pbx.history, 'unknown')} were cut off, ` +
      `${count(pbx.history, 'refused')} refused and sent elsewhere`,
  )
  await assertInvariants(database.pool, pbx.history)
})

test('the calls of a gateway that shuts down are released, and claimed by another', async (t) => {
  const calls = 30
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1, {
    ...endlessLeases,
    AI_SERVICE_MIN_LATENCY: '600',
    AI_SERVICE_MAX_LATENCY: '600',
  })
  using pbx = createSender(() => [gateways.at(0).url])
  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      await pbx.deliver({ callId: `call-${number}`, sequence: 1, data: 'good morning' })
      await pbx.hangUp(`call-${number}`)
    }),
  )
  await until('the gateway has claimed every call', async () => {
    return (await attempts(database, 'outcome IS NULL')) === calls
  })
  await gateways.replace(1, endlessLeases)

  gateways.at(0).kill('SIGTERM')
  assert.equal(await gateways.at(0).exited, 0)
  assert.equal(await attempts(database, "number = 1 AND outcome = 'released'"), calls)
  // Without the release the leases would hold for ten minutes.
  await untilArchived(database, calls)
  const { rows } = await database.pool.query<{ ms: number }>(
    `SELECT max(extract(epoch FROM second.started_at - first.ended_at) * 1000)::integer AS ms
     FROM attempts AS first JOIN attempts AS second USING (call)
     WHERE first.number = 1 AND second.number = 2`,
  )
  t.diagnostic(`claimed by the other gateway at most ${rows[0]?.ms} ms after the release`)
  await assertInvariants(database.pool, pbx.history)
})

async function attempts({ pool }: TestDatabase, condition: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*) FROM attempts WHERE ${condition}`,
  )
  return rows[0]?.count ?? 0
}
