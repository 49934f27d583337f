// An erased call leaves nothing behind but one event with its id.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMediaStream } from '../../src/calls/media-streams.ts'
import type { Pool } from '../../src/database/pool.ts'
import { connectFeed } from '../support/feed-client.ts'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const { pool } = database

async function erase(callId: string, query = ''): Promise<{ status: number; code: unknown }> {
  const response = await fetch(`${url}/v1/call/${callId}${query}`, { method: 'DELETE' })
  const text = await response.text()
  return { status: response.status, code: text === '' ? null : JSON.parse(text).code }
}

/** The tables with a row in whose text something stands, and how many rows. */
async function rowsWith(db: Pool, text: string): Promise<Record<string, number>> {
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await db.query<{ count: number }>(
      `SELECT count(*) FROM ${name} AS row WHERE position($1 IN row::text) > 0
         OR position(encode($1::bytea, 'hex') IN row::text) > 0`,
      [text],
    )
    const count = rows[0]?.count ?? 0
    if (count > 0) found[name] = count
  }
  return found
}

async function published(): Promise<Record<string, number>> {
  const { counts } = (await (await fetch(`${url}/v1/floor`)).json()) as {
    counts: Record<string, number>
  }
  return counts
}

test('nothing of it is left in any table but the event that tells of it', async () => {
  const canary = 'canary-7f3b'
  await using client = await connectFeed(url)
  await fetch(`${url}/v1/media/audiosocket/${crypto.randomUUID()}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ call_id: canary, track: 'inbound' }),
  })
  const format = '{"encoding":"PCMU","rate":8000,"clock":"samples"}'
  const metadata = JSON.stringify({ from: canary })
  await startMediaStream(
    pool,
    canary,
    'twilio',
    canary,
    ['inbound'],
    format,
    false,
    metadata,
    300,
    false,
  )
  for (const sequence of [1, 2, 5]) await sendPacket(url, canary, sequence, `${canary} said this`)
  const [{ id } = { id: 0 }] = (
    await pool.query<{ id: number }>('SELECT id FROM calls WHERE call_id = $1', [canary])
  ).rows
  await pool.query(`INSERT INTO spilled_ranges VALUES ($1, 'mixed', 1, 1);`, [id])
  await pool.query(
    `INSERT INTO silences (call, track, before_sequence, cause, milliseconds)
     VALUES ($1, 'mixed', 2, 'clock', 20)`,
    [id],
  )
  await completeCall(url, canary)
  await client.sees(canary, 'ARCHIVED')
  const before = await rowsWith(pool, canary)
  for (const table of [
    'calls',
    'segments',
    'media_streams',
    'events',
    'announced_streams',
    'analysis_steps',
  ])
    assert.ok((before[table] ?? 0) > 0, `the canary sits in ${table}`)

  assert.deepEqual(await erase(canary), { status: 204, code: null })
  const last = await until('the event that tells of it', () =>
    client.events().find(({ event }) => event === 'call_erased'),
  )
  assert.deepEqual(
    { ...last, timestamp: '', position: 0 },
    {
      type: 'call_event',
      event: 'call_erased',
      data: {},
      call_id: canary,
      timestamp: '',
      position: 0,
    },
  )
  assert.deepEqual(await rowsWith(pool, canary), { events: 1 })
  const { rows } = await pool.query(
    `SELECT * FROM (
       SELECT call FROM tracks UNION ALL SELECT call FROM segments UNION ALL
       SELECT call FROM spilled_ranges UNION ALL SELECT call FROM silences UNION ALL
       SELECT call FROM media_streams UNION ALL SELECT call FROM attempts UNION ALL
       SELECT call FROM analysis_steps UNION ALL SELECT call FROM events
     ) AS left_over WHERE call = $1`,
    [id],
  )
  assert.deepEqual(rows, [])
  assert.equal((await getCall(url, canary)).status, 404)
  assert.deepEqual(await erase(canary), { status: 404, code: 'call_not_found' })
})

test('a call in progress is only erased when that is insisted on, and may begin anew', async () => {
  await using client = await connectFeed(url)
  await sendPacket(url, 'live', 1)
  await client.sees('live', 'IN_PROGRESS')
  const counts = await published()
  assert.deepEqual(await erase('live'), { status: 409, code: 'call_in_use' })
  assert.equal((await getCall(url, 'live')).body.total_packets, 1)
  assert.deepEqual(await erase('live', '?force=true'), { status: 204, code: null })
  await client.sees('live', 'call_event')
  assert.equal((await published()).IN_PROGRESS, Number(counts.IN_PROGRESS) - 1)
  assert.equal((await sendPacket(url, 'live', 7)).status, 202)
  assert.equal((await getCall(url, 'live')).body.total_packets, 1)
})

test('erasing while events are published leaves positions dense and counts right', async () => {
  await using client = await connectFeed(url)
  const ids = Array.from({ length: 60 }, (_, number) => `race-${number}`)
  await Promise.all(
    ids.map(async (callId) => {
      await sendPacket(url, callId, 1)
      await erase(callId, '?force=true')
    }),
  )
  await until('all are told of', () => {
    const erased = client.events().filter(({ event }) => event === 'call_erased')
    return erased.length === ids.length
  })
  const positions = client.events().map(({ position }) => position)
  assert.deepEqual(
    positions,
    [...new Set(positions)].toSorted((one, other) => one - other),
  )
  const { rows } = await pool.query(
    `SELECT status_counts.status, status_counts.calls, count(calls.id) AS truth
     FROM status_counts LEFT JOIN calls USING (status) GROUP BY 1, 2`,
  )
  for (const { status, calls, truth } of rows) assert.equal(calls, truth, status)
})
