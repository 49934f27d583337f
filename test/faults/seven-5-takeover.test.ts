// Fault 5: AI work was in process memory: a restart left calls in PROCESSING_AI for ever, and two
// workers processed the same call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { playLateResult, sleeper } from '../support/late-result.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const takeoverSeconds = 10

test('7.5 the calls of a killed gateway are at work elsewhere within 10 s', async (t) => {
  const calls = 40
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, {
    ANALYSIS_LEASE_SECONDS: '6',
    AI_SERVICE_MIN_LATENCY: '4',
    AI_SERVICE_MAX_LATENCY: '4',
  })
  using pbx = createSender(gateways.urls)
  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      await pbx.deliver({ callId: `call-${number}`, sequence: 1, data: 'good morning' })
      await pbx.hangUp(`call-${number}`)
    }),
  )
  await until('every call is claimed', async () => (await openAttempts(database)).length === calls)
  const owner = (await openAttempts(database)).map(({ lease_owner }) => lease_owner)[0] ?? ''
  const theirs = (await openAttempts(database)).filter((row) => row.lease_owner === owner)
  const victim = gateways.owner(owner)
  victim.kill('SIGKILL')
  assert.equal(await victim.exited, 'SIGKILL')
  const killed = await databaseClock(database)

  await until('the calls of the killed gateway are at work elsewhere', async () => {
    const open = await openAttempts(database)
    return open.every(({ lease_owner }) => lease_owner !== owner)
  })
  const { rows } = await database.pool.query<{ seconds: number }>(
    `SELECT max(extract(epoch FROM started_at) - $1)::float8 AS seconds
     FROM attempts WHERE number = 2`,
    [killed],
  )
  const seconds = rows[0]?.seconds ?? Number.POSITIVE_INFINITY
  t.diagnostic(`${theirs.length} calls at work elsewhere ${seconds.toFixed(1)} s after the kill`)
  assert.ok(seconds < takeoverSeconds, `${seconds} s`)

  await untilArchived(database, calls)
  const outcomes = await database.pool.query(
    'SELECT outcome, count(*) FROM attempts GROUP BY outcome ORDER BY outcome',
  )
  assert.deepEqual(outcomes.rows, [
    { outcome: 'lost', count: theirs.length },
    { outcome: 'succeeded', count: calls },
  ])
  await assertInvariants(database.pool, pbx.history)
})

test('7.5 the late result of a gateway that slept past its lease is refused', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1, sleeper)
  using pbx = createSender(() => [gateways.at(0).url])
  await playLateResult(database, gateways, pbx, 'late')

  const { rows } = await database.pool.query(
    `SELECT number, attempts.lease_token, outcome,
       attempts.lease_token = calls.lease_token AS newest
     FROM attempts JOIN calls ON calls.id = call ORDER BY number`,
  )
  assert.deepEqual(rows, [
    { number: 1, lease_token: 1, outcome: 'lost', newest: false },
    { number: 2, lease_token: 2, outcome: 'succeeded', newest: true },
  ])
  const refusals = gateways
    .at(0)
    .log.filter(({ msg }) => msg?.includes('belongs to another process'))
  assert.equal(refusals.length, 1)
  assert.equal(refusals[0]?.call_id, 'late')
  await assertInvariants(database.pool, pbx.history)
})

test('7.5 two gateways never work at the same call at once', async () => {
  const calls = 300
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, {
    AI_SERVICE_FAILURE_RATE: '0.25',
    AI_SERVICE_MAX_LATENCY: '0.02',
  })
  using pbx = createSender(gateways.urls)
  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      await pbx.deliver({ callId: `call-${number}`, sequence: 1, data: 'good morning' })
      await pbx.hangUp(`call-${number}`)
    }),
  )
  await untilArchived(database, calls)
  const { rows } = await database.pool.query(
    `SELECT count(DISTINCT lease_owner) AS owners, count(*) FILTER (WHERE EXISTS (
       SELECT FROM attempts AS other WHERE other.call = attempts.call
         AND other.number > attempts.number AND other.started_at < attempts.ended_at
     )) AS overlapping FROM attempts`,
  )
  assert.deepEqual(rows, [{ owners: 2, overlapping: 0 }])
  await assertInvariants(database.pool, pbx.history)
})

async function openAttempts({ pool }: TestDatabase): Promise<{ lease_owner: string }[]> {
  const { rows } = await pool.query<{ lease_owner: string }>(
    'SELECT lease_owner FROM attempts WHERE ended_at IS NULL ORDER BY call',
  )
  return rows
}

async function databaseClock({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ now: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 AS now',
  )
  return rows[0]?.now ?? 0
}
