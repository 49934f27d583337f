// Fault 9: error replies leaked SQL, and `/health` said "connected" without asking.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, createDatabase, databaseUrl, type TestDatabase } from '../support/database.ts'
import { type GatewayProcess, post, startGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

const secret = 'secret_of_the_database'
const packet = { sequence: 1, data: 'packet 1', timestamp: 1.5 }
const leaks =
  /secret_of|select|insert|update|store_|complete_|postgres|sqlstate|relation|src\/|\.ts|at .*\(/i

/** Every route that asks the database, and how it answers. */
async function everyAnswer({ url }: GatewayProcess): Promise<{ status: number; text: string }[]> {
  const requests = [
    fetch(`${url}/v1/call/a`),
    fetch(`${url}/v1/call/history`),
    fetch(`${url}/v1/call/history?status=FAILED`),
    fetch(`${url}/v1/call/complete/a`, { method: 'POST' }),
    ...['/v1/call/stream/a', '/ingest/a'].map((path) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(packet),
      }),
    ),
  ]
  return await Promise.all(
    requests.map(async (request) => {
      const response = await request
      return { status: response.status, text: await response.text() }
    }),
  )
}

test('7.9 a defect in the database is told without a word of SQL, stack or path', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url)
  await post(`${gateway.url}/v1/call/stream/a`, packet)
  await database.pool.query(`ALTER TABLE tracks RENAME TO ${secret}`)
  await database.pool.query(
    `CREATE OR REPLACE FUNCTION complete_call(p_call_id text, p_cause text, p_grace float8)
     RETURNS TABLE (id bigint, was call_status) LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION '${secret}: %', p_call_id; END $$`,
  )
  for (const { status, text } of await everyAnswer(gateway)) {
    assert.equal(status, 500)
    assert.deepEqual(JSON.parse(text).code, 'internal')
    assert.doesNotMatch(text, leaks)
  }
  await until('the operator finds the reason in the log', () =>
    JSON.stringify(gateway.log).includes(secret),
  )
})

test('7.9 health says disconnected while the database is gone, and no longer', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url)
  assert.deepEqual(await health(gateway), [200, 'healthy', 'connected'])

  await admit(database, false)
  assert.deepEqual(await health(gateway), [503, 'unhealthy', 'disconnected'])
  for (const { status, text } of await everyAnswer(gateway)) {
    assert.equal(status, 503, text)
    assert.deepEqual(JSON.parse(text).code, 'database_unavailable')
    assert.doesNotMatch(text, leaks)
  }

  await admit(database, true)
  await until('the gateway is healthy again', async () => (await health(gateway))[0] === 200)
  assert.equal((await post(`${gateway.url}/v1/call/stream/a`, packet)).status, 202)
})

async function health({ url }: GatewayProcess): Promise<unknown[]> {
  const response = await fetch(`${url}/health`)
  const { status, database } = (await response.json()) as Record<string, unknown>
  return [response.status, status, database]
}

/** Lets a database take connections, or ends all that there are and takes no new ones. */
async function admit({ url }: TestDatabase, allowed: boolean): Promise<void> {
  const name = new URL(url).pathname.slice(1)
  await using server = await connect(databaseUrl())
  await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allowed}`)
  if (allowed) return
  const end = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1'
  await server.query(end, [name])
}
