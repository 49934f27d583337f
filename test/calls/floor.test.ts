// The floor: what it says of calls, which calls it shows, and what it costs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFloor } from '../../src/calls/floor.ts'
import { endMediaStream, startMediaStream } from '../../src/calls/media-streams.ts'
import type { Pool } from '../../src/database/pool.ts'
import { allStatements } from '../../src/database/statement.ts'
import { bringTo, storeCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'

const limit = 1_000

async function floorOf(pool: Pool, query: Partial<Parameters<typeof readFloor>[1]> = {}) {
  return await readFloor(pool, { limit, ...query }, 'test')
}

async function idsOf(pool: Pool, query: Partial<Parameters<typeof readFloor>[1]> = {}) {
  return (await floorOf(pool, query)).calls.map(({ call_id }) => call_id)
}

test('a line says what came, what is missing and how bad that is', async () => {
  await using database = await createDatabase()
  await storeCall(database.pool, 'whole', [1, 2, 3])
  await storeCall(database.pool, 'from-zero', [0, 1, 3])
  await storeCall(database.pool, 'holes', [2, 3, 9])
  const floor = await floorOf(database.pool)
  const lines = floor.calls.map(({ call_id, packets, lost_packets, lost_ms, grade, tracks }) => [
    call_id,
    packets,
    lost_packets,
    lost_ms,
    grade,
    tracks,
  ])
  assert.deepEqual(lines, [
    ['holes', 3, 6, null, 'F', ['mixed']],
    ['from-zero', 3, 1, null, 'F', ['mixed']],
    ['whole', 3, 0, 0, 'A', ['mixed']],
  ])
})

test('a call of a media stream shows its source, its parties and the time without audio', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const start = (callId: string, protocol: string, metadata: object) =>
    startMediaStream(
      pool,
      callId,
      protocol,
      `s-${callId}`,
      ['inbound', 'outbound'],
      '{"encoding":"PCMU","rate":8000,"clock":"samples"}',
      false,
      JSON.stringify(metadata),
      300,
      false,
    )
  const [telnyx] = await start('telnyx', 'telnyx', { from: '+4420', to: '+4930' })
  await start('twilio', 'twilio', { callSid: 'CA1', parameters: { From: '+1', to: 'sales' } })
  await start('genesys', 'genesys', { participant: { ani: 'x'.repeat(500), dnis: '' } })
  await pool.query(
    `INSERT INTO silences (call, track, before_sequence, cause, milliseconds)
     VALUES ($1, 'inbound', 2, 'clock', 120), ($1, 'inbound', 3, 'paused', 5000)`,
    [telnyx?.call],
  )
  // The first stream tells whose call it is; one that comes back does not change that.
  await endMediaStream(pool, telnyx?.stream ?? 0, 'disconnected', '{}', 10, 2)
  await start('telnyx', 'other', { from: 'somebody else' })
  const lines = (await floorOf(pool)).calls.map(({ call_id, source, from, to, lost_ms, grade }) => [
    call_id,
    source,
    from,
    to,
    lost_ms,
    grade,
  ])
  assert.deepEqual(lines, [
    ['genesys', 'genesys', 'x'.repeat(128), null, 0, null],
    ['twilio', 'twilio', '+1', 'sales', 0, null],
    ['telnyx', 'telnyx', '+4420', '+4930', 120, null],
  ])
})

test('live calls come first, then others, newest first, by status, source, or what is searched', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const [callId, status] of [
    ['a-archived', 'ARCHIVED'],
    ['b-live', 'IN_PROGRESS'],
    ['c-failed', 'FAILED'],
    ['d-completed', 'COMPLETED'],
    ['e-live', 'IN_PROGRESS'],
  ] as const)
    await bringTo(pool, await storeCall(pool, callId), status)
  await startMediaStream(
    pool,
    'f-live',
    'vonage',
    's',
    ['mixed'],
    '{}',
    false,
    '{"from":"Ada"}',
    300,
    false,
  )
  assert.deepEqual(await idsOf(pool), [
    'f-live',
    'e-live',
    'b-live',
    'd-completed',
    'c-failed',
    'a-archived',
  ])
  assert.deepEqual(await idsOf(pool, { limit: 4 }), ['f-live', 'e-live', 'b-live', 'd-completed'])
  assert.deepEqual(await idsOf(pool, { status: 'FAILED' }), ['c-failed'])
  assert.deepEqual(await idsOf(pool, { source: 'vonage' }), ['f-live'])
  assert.deepEqual(await idsOf(pool, { source: 'http', status: 'IN_PROGRESS' }), [
    'e-live',
    'b-live',
  ])
  assert.deepEqual(await idsOf(pool, { search: 'LIVE' }), ['f-live', 'e-live', 'b-live'])
  assert.deepEqual(await idsOf(pool, { search: 'ada' }), ['f-live'])
  assert.deepEqual(await idsOf(pool, { search: '%' }), [])
  assert.deepEqual(await idsOf(pool, { call: 'c-failed' }), ['c-failed'])
  const { counts, position } = await floorOf(pool)
  assert.deepEqual([position, counts.IN_PROGRESS], [0, 0], 'as of what is published: nothing')
  await pool.query('SELECT publish_events(1000)')
  const published = await floorOf(pool)
  assert.deepEqual(published.counts, {
    IN_PROGRESS: 3,
    COMPLETED: 1,
    PROCESSING_AI: 0,
    FAILED: 1,
    ARCHIVED: 1,
  })
})

test('overdue is what nobody takes up for 30 s, and not what waits for its turn', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'late')
  const overdue = async () => (await floorOf(pool)).overdue
  assert.equal(await overdue(), 0)
  await pool.query("UPDATE calls SET due_at = now() - interval '31 s' WHERE id = $1", [call])
  assert.equal(await overdue(), 1)
  await bringTo(pool, call, 'COMPLETED')
  await pool.query("UPDATE calls SET due_at = now() - interval '31 s' WHERE id = $1", [call])
  await pool.query(`INSERT INTO providers (name, ceiling, allowed) VALUES ('mock', 1, 1)`)
  assert.equal(await overdue(), 1)
  await pool.query(
    `UPDATE providers SET state = 'open', retry_at = now() + interval '1 min' WHERE name = 'mock'`,
  )
  assert.equal(await overdue(), 0, 'its service is not to be asked')
})

test('the oldest waiting call is one that waits for the AI, not one that failed before it', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const over = async (callId: string, status: 'COMPLETED' | 'FAILED', minutes: number) => {
    const call = await storeCall(pool, callId)
    await bringTo(pool, call, status)
    const { rows } = await pool.query<{ completed_at: Date }>(
      `UPDATE calls SET due_at = now(), completed_at = now() - make_interval(mins => $2)
       WHERE id = $1 RETURNING completed_at`,
      [call, minutes],
    )
    return rows[0]?.completed_at.toISOString()
  }
  const backlog = async () => (await floorOf(pool)).backlog
  await over('failed', 'FAILED', 60)
  assert.deepEqual(await backlog(), { waiting: 0, running: 0, failing: 1, oldest_at: null })
  const oldest = await over('older', 'COMPLETED', 2)
  await over('newer', 'COMPLETED', 1)
  assert.deepEqual(await backlog(), { waiting: 2, running: 0, failing: 1, oldest_at: oldest })
})

test('with 100,000 stored calls and 1,000 live ones, nothing is scanned', async (t) => {
  await using database = await createDatabase()
  const { pool } = database
  await pool.query(`
    ALTER TABLE calls DISABLE TRIGGER USER;
    INSERT INTO calls (call_id, status, due_at, completed_at, transcription, sentiment, ai_processed_at)
    SELECT 'old-' || n, 'ARCHIVED', NULL, now(), repeat('Customer: so it goes. ', 100), 'neutral', now()
    FROM generate_series(1, 100000) AS n;
    INSERT INTO calls (call_id, due_at)
    SELECT 'live-' || n, now() + interval '1 h' FROM generate_series(1, 1000) AS n;
    ALTER TABLE calls ENABLE TRIGGER USER;
    INSERT INTO tracks (call, track, received, has_zero, packets, duplicates, late)
    SELECT id, track, '{[1,101)}', false, 100, 0, 0
    FROM calls, unnest('{inbound,outbound}'::track_name[]) AS track;
    INSERT INTO media_streams (call, protocol, stream_id, tracks, bases, metadata)
    SELECT id, 'twilio', call_id, '{inbound,outbound}', '{0,0}', '{}' FROM calls;
    ANALYZE`)
  const begun = performance.now()
  const floor = await floorOf(pool)
  const took = performance.now() - begun
  const bytes = JSON.stringify(floor).length
  t.diagnostic(
    `1,000 live of 101,000 calls: ${Math.round(took)} ms, ${Math.round(bytes / 1024)} KiB`,
  )
  assert.equal(floor.calls.length, limit)
  assert.ok(floor.calls.every(({ status }) => status === 'IN_PROGRESS'))

  const client = await pool.connect()
  try {
    await client.query('SET plan_cache_mode = force_generic_plan')
    const cases: readonly (readonly [name: string, values: string])[] = [
      ['find_newest', '1000'],
      ['find_newest_of_status', "'FAILED', 1000"],
      ['read_floor_rows', "'{1,2,3}'"],
      ['read_floor_rows_of', "'{old-1,live-2}'"],
      ['search_floor', "'live-1', NULL, NULL, 1000"],
    ]
    for (const [name, values] of cases) {
      await client.query(`PREPARE plan_of_${name} AS ${allStatements.get(name)}`)
      const { rows } = await client.query<Record<string, string>>(
        `EXPLAIN EXECUTE plan_of_${name}(${values})`,
      )
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      assert.doesNotMatch(plan, /Scan Backward using calls_pkey.*\n.*Filter: \(status = /, plan)
      assert.doesNotMatch(
        plan,
        /Seq Scan on (calls|tracks|media_streams|segments)/,
        `${name}\n${plan}`,
      )
    }
  } finally {
    client.release()
  }
})
