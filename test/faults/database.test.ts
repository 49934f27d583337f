// A database that loses its connections, or dies and comes back, under load.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { type Fleet, startFleet } from '../support/fleet.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startLoad } from '../support/load.ts'
import { startPrivatePostgres } from '../support/private-postgres.ts'
import { createSender, type Sender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const settings = { AI_SERVICE_FAILURE_RATE: '0.25', AI_SERVICE_MAX_LATENCY: '0.2' }
const load = { clients: 6, packetsPerCall: 40, window: 3, seed: 3 }

test('gateways whose database connections are cut go on and lose nothing', async (t) => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, settings)
  using pbx = createSender(gateways.urls)
  const running = startLoad(pbx, load)
  let cut = 0
  for (let round = 0; round < 15; round += 1) {
    await untilMoreAcknowledged(pbx, 100)
    const { rowCount } = await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> 'ai-pbx-gateway test'`,
    )
    cut += rowCount ?? 0
  }
  await untilMoreAcknowledged(pbx, 100)
  const calls = await running.stop()
  await untilArchived(database, calls.length)
  t.diagnostic(
    `${cut} connections cut; ${count(pbx.history, 'acknowledged')} packets acknowledged, ` +
      `${count(pbx.history, 'unknown')} requests without a clear answer`,
  )
  await assertUnbroken(gateways)
  await assertInvariants(database.pool, pbx.history)
})

test('a PostgreSQL killed under load comes back with all that was acknowledged', async (t) => {
  await using postgres = await startPrivatePostgres()
  await using gateways = await startFleet(postgres.url, 2, settings)
  using pbx = createSender(gateways.urls)
  const running = startLoad(pbx, load)
  const seconds: string[] = []
  for (const victim of ['postmaster', 'backend', 'postmaster']) {
    await untilMoreAcknowledged(pbx, 300)
    if (victim === 'postmaster') {
      await postgres.kill()
      await untilHealth(gateways, 503)
      await postgres.restart()
    } else await postgres.killBackend()
    const began = performance.now()
    await untilMoreAcknowledged(pbx, 1)
    seconds.push(((performance.now() - began) / 1_000).toFixed(2))
    await untilHealth(gateways, 200)
  }
  const calls = await running.stop()
  await using stack = new AsyncDisposableStack()
  const logger = createLogger({ level: 'error', pretty: false })
  const pool = stack.adopt(createPool(postgres.url, 'test', 2, logger), (it) => it.end())
  await untilArchived({ pool }, calls.length)
  t.diagnostic(
    `writes resumed ${seconds.join(', ')} s after the server answered; ` +
      `${count(pbx.history, 'acknowledged')} packets acknowledged, ` +
      `${count(pbx.history, 'unknown')} requests without a clear answer`,
  )
  await assertUnbroken(gateways)
  await assertInvariants(pool, pbx.history)
})

async function untilMoreAcknowledged(pbx: Sender, packets: number): Promise<void> {
  const enough = count(pbx.history, 'acknowledged') + packets
  await until(`${packets} packets more`, () => count(pbx.history, 'acknowledged') >= enough)
}

async function untilHealth(gateways: Fleet, status: number): Promise<void> {
  for (const url of gateways.urls())
    await until(`health answers ${status}`, async () => {
      const response = await fetch(`${url}/health`)
      return response.status === status
    })
}

/** The processes are those that were started, and none saw an error that nobody handled. */
async function assertUnbroken(gateways: Fleet): Promise<void> {
  for (const place of [0, 1]) {
    const { url, log } = gateways.at(place)
    assert.equal((await fetch(`${url}/health`)).status, 200)
    assert.deepEqual(
      log.filter(({ level }) => level === 'fatal'),
      [],
    )
  }
}
