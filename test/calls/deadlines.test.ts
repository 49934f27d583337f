import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDeadlines } from '../../src/calls/deadlines.ts'
import { meetDeadlines, nextDeadline } from '../../src/calls/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { bringTo, makeDue, readCall, snapshotOf, storeCall } from '../support/calls.ts'
import { connect, createDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const timeout = 300
const grace = 2.5
const reconnect = 10
const logger = createLogger({ level: 'error', pretty: false })

test('a call that was silent for the packet timeout is completed, with silence as the cause', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'silent')
  await lastPacket(pool, call, timeout + 1)
  assert.deepEqual(await meet(pool), 1)
  const { rows } = await pool.query(
    `SELECT status, completion_cause, completed_at <= clock_timestamp() AS in_the_past,
       extract(epoch FROM due_at - completed_at)::float8 AS grace
     FROM calls`,
  )
  const { grace: left, ...state } = rows[0]
  assert.deepEqual(state, { status: 'COMPLETED', completion_cause: 'silence', in_the_past: true })
  assert.ok(Math.abs(left - grace) < 1, `the analysis is due after ${left} s`)
  assert.equal(await meet(pool), 0)
})

test('a call whose packets still come is not completed, and is looked at again later', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'talking')
  await lastPacket(pool, call, timeout - 100)
  await makeDue(pool, call)
  assert.equal(await meet(pool), 0)
  assert.equal((await readCall(pool, 'talking')).status, 'IN_PROGRESS')
  const [next] = await nextDeadline(pool)
  assert.ok(next?.seconds != null && next.seconds > 50 && next.seconds <= 100, `${next?.seconds}`)
})

test('a packet on one track keeps the call, however silent the other', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'one-sided')
  await lastPacket(pool, call, timeout + 1)
  await pool.query(
    `INSERT INTO tracks (call, track, received, has_zero, packets, duplicates, late)
     VALUES ($1, 'inbound', '{[1,2)}', false, 1, 0, 0)`,
    [call],
  )
  assert.equal(await meet(pool), 0)
  assert.equal((await readCall(pool, 'one-sided')).status, 'IN_PROGRESS')
})

test('an analysed call rests in COMPLETED and is archived when its rest is over', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'resting')
  await bringTo(pool, call, 'COMPLETED')
  await pool.query('UPDATE calls SET ai_processed_at = now() WHERE id = $1', [call])
  assert.equal(await meet(pool), 0)
  assert.equal((await readCall(pool, 'resting')).status, 'COMPLETED')
  await makeDue(pool, call)
  assert.equal(await meet(pool), 1)
  assert.equal((await readCall(pool, 'resting')).status, 'ARCHIVED')
  assert.equal(await meet(pool), 0)
})

test('a call that waits for its analysis, or is under it, or failed, is left alone', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const status of ['COMPLETED', 'PROCESSING_AI', 'FAILED'] as const) {
    const call = await storeCall(pool, status)
    await bringTo(pool, call, status)
    await makeDue(pool, call)
    const before = await snapshotOf(pool, call)
    assert.equal(await meet(pool), 0)
    assert.deepEqual(await snapshotOf(pool, call), before)
  }
  const [next] = await nextDeadline(pool)
  assert.equal(next?.seconds, null)
})

test('many gateways at once complete each silent call once', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const names = Array.from({ length: 300 }, (_, index) => `call-${index}`)
  await pool.query(
    `INSERT INTO calls (call_id, created_at, due_at)
     SELECT unnest($1::text[]), now() - interval '1 hour', now() - interval '1 minute'`,
    [names],
  )
  const sweep = async (): Promise<number> => {
    const [met] = await meetDeadlines(pool, 20, timeout, grace, reconnect)
    const changed = met?.changed ?? 0
    return changed === 0 ? 0 : changed + (await sweep())
  }
  const changed = await Promise.all(Array.from({ length: 8 }, sweep))
  // A sweeper that found everything locked has stopped early: what it left is taken here.
  const rest = await sweep()
  const events = await pool.query<{ events: number; calls: number }>(
    `SELECT count(*) AS events, count(DISTINCT call) AS calls FROM events
     WHERE old_status = 'IN_PROGRESS' AND status = 'COMPLETED'`,
  )
  assert.deepEqual(events.rows, [{ events: 300, calls: 300 }])
  assert.equal(
    changed.reduce((sum, one) => sum + one, rest),
    300,
  )
  assert.ok(changed.filter((one) => one > 0).length > 1, 'only one of the sweepers had work')
})

test('the running deadlines complete a silent call and archive a rested one by themselves', async () => {
  await using database = await createDatabase()
  const { pool } = database
  let told = 0
  const deadlines = startDeadlines({
    pool,
    packetTimeoutSeconds: 0.2,
    graceSeconds: 0,
    reconnectSeconds: reconnect,
    logger,
    onTransitions: () => {
      told += 1
    },
  })
  try {
    const resting = await storeCall(pool, 'resting')
    await bringTo(pool, resting, 'COMPLETED')
    await pool.query(
      `UPDATE calls SET ai_processed_at = now(), due_at = now() + interval '100 milliseconds'
       WHERE id = $1`,
      [resting],
    )
    await makeDue(pool, await storeCall(pool, 'silent'))
    await until('the silent call is completed', async () => {
      return (await readCall(pool, 'silent')).status === 'COMPLETED'
    })
    await until('the rested call is archived', async () => {
      return (await readCall(pool, 'resting')).status === 'ARCHIVED'
    })
    await until('the gateway is told of events to publish', () => told > 0)
  } finally {
    await deadlines.stop()
  }
})

test('a call locked by another session delays no other, and does not keep the database busy', async () => {
  await using database = await createDatabase()
  await using holder = await connect(database.url)
  const { pool } = database
  const [locked, other] = [await storeCall(pool, 'locked'), await storeCall(pool, 'other')]
  await lastPacket(pool, locked, timeout + 1)
  await lastPacket(pool, other, timeout + 1)
  await pool.query(`UPDATE calls SET due_at = now() + interval '500 milliseconds' WHERE id = $1`, [
    other,
  ])
  await holder.query('BEGIN')
  await holder.query('SELECT FROM calls WHERE id = $1 FOR UPDATE', [locked])
  let queries = 0
  const counting = {
    query: (config: { name: string; text: string; values: unknown[] }) => {
      queries += 1
      return pool.query(config)
    },
  }
  const began = performance.now()
  const deadlines = startDeadlines({
    pool: counting as Pool,
    packetTimeoutSeconds: timeout,
    graceSeconds: grace,
    reconnectSeconds: reconnect,
    logger,
    onTransitions: () => {},
  })
  try {
    await until('the other call is completed', async () => {
      return (await readCall(pool, 'other')).status === 'COMPLETED'
    })
    // Two queries a run, and a pause between runs.
    const runs = queries / 2
    assert.ok(runs < (performance.now() - began) / 10, `${runs} runs`)
    assert.equal((await readCall(pool, 'locked')).status, 'IN_PROGRESS')
    await holder.query('COMMIT')
    await until('the call that was locked is completed', async () => {
      return (await readCall(pool, 'locked')).status === 'COMPLETED'
    })
  } finally {
    await deadlines.stop()
  }
})

async function meet(pool: Pool): Promise<number | undefined> {
  const [met] = await meetDeadlines(pool, 200, timeout, grace, reconnect)
  return met?.changed
}

/** Moves the last packet of a call into the past, and with it the time when silence is checked. */
async function lastPacket(pool: Pool, call: number, secondsAgo: number): Promise<void> {
  await pool.query(
    `UPDATE tracks SET last_packet_at = clock_timestamp() - make_interval(secs => $2)
     WHERE call = $1`,
    [call, secondsAgo],
  )
  await makeDue(pool, call)
}
