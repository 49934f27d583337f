// `GET /v1/system`: who lives and what was done, the same from every gateway.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSamples } from '../../src/system/samples.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createDatabase } from '../support/database.ts'
import { openStream } from '../support/event-stream.ts'
import { connectFeed } from '../support/feed-client.ts'
import { startFleet } from '../support/fleet.ts'
import { sendPacket } from '../support/gateway.ts'
import { until } from '../support/until.ts'

type System = {
  readonly gateways: readonly (Readonly<Record<string, number>> & {
    readonly id: string
    readonly seen_at: string
  })[]
  readonly database: Readonly<Record<string, unknown>>
  readonly history: readonly (Readonly<Record<string, number>> & { readonly at: string })[]
}

async function readSystem(url: string): Promise<System> {
  const response = await fetch(`${url}/v1/system`)
  assert.equal(response.status, 200)
  return (await response.json()) as System
}

test('two gateways are told by both, with what they did in the last ten seconds', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  const [one, two] = [gateways.at(0), gateways.at(1)]
  await using _socket = await connectFeed(one.url)
  await using _stream = await openStream(one.url)
  for (const sequence of [1, 2, 5]) {
    await sendPacket(one.url, 'call-1', sequence)
    await sendPacket(one.url, 'call-2', sequence)
  }
  const rowOf = ({ gateways: rows }: System, pid: number) => rows.find((row) => row.pid === pid)
  const system = await until('a sample of what was done', async () => {
    const told = await readSystem(two.url)
    return Number(rowOf(told, one.pid)?.packets_per_second) > 0 && told
  })
  assert.deepEqual(new Set(system.gateways.map(({ pid }) => pid)), new Set([one.pid, two.pid]))
  const row = rowOf(system, one.pid)
  assert.equal(row?.live_calls, 2)
  assert.equal(row?.sockets, 2)
  assert.ok(Number(row?.commit_ms_p50) > 0)
  assert.ok(Number(row?.rss_bytes) > 10 * 2 ** 20)
  assert.equal(rowOf(system, two.pid)?.sockets, 0)
  assert.equal(Math.max(...system.history.map(({ lost_packets }) => Number(lost_packets))), 4)
  assert.equal(system.history.at(-1)?.live_calls, 2)
  assert.equal(typeof system.database.version, 'string')
  assert.ok(Number(system.database.connections) > 0)

  two.kill('SIGTERM')
  await two.exited
  const after = await readSystem(one.url)
  assert.deepEqual(
    after.gateways.map(({ pid }) => pid),
    [one.pid],
    'one that ends is gone at once',
  )
})

test('a process that was not seen for 35 s is not told of, and what is older than an hour is removed', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await pool.query(`
    INSERT INTO gateways (id, host, pid, version, started_at, seen_at) VALUES
      ('dead', 'h', 1, '1', now(), now() - interval '36 s'),
      ('long dead', 'h', 2, '1', now(), now() - interval '61 min');
    INSERT INTO system_samples VALUES
      (now() - interval '61 min', 'dead', 10, 0, 0, '{}', 0, 0, 0, 0, 0, 0, 0)`)
  const samples = startSamples({
    pool,
    identity: { id: 'mine', host: 'h', pid: 3, version: '1' },
    sockets: () => 4,
    logger: createLogger({ level: 'error', pretty: false }),
  })
  const ids = async (sql: string) => {
    const { rows } = await pool.query<{ id: string }>(sql)
    return rows.map(({ id }) => id)
  }
  await until('the first sample', async () => {
    const rows = await ids('SELECT gateway AS id FROM system_samples')
    return rows.length === 1 && rows[0] === 'mine'
  })
  assert.deepEqual(await ids('SELECT id FROM gateways ORDER BY id'), ['dead', 'mine'])
  samples.committed({ callIds: ['a'], packets: 50, lost: 0, milliseconds: 3 })
  assert.ok(samples.load().packets_per_second > 0)
  assert.equal(samples.load().packets_per_second, 0)
  assert.ok(samples.load().commit_ms >= 3, 'the last commits are remembered')
  await samples.stop()
  assert.deepEqual(await ids('SELECT id FROM gateways'), ['dead'])
})
