// Which calls are claimed for analysis, when, and by whom.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Claim,
  claimCalls,
  endAttempt,
  nextAnalysisDue,
} from '../../src/analysis/statements.ts'
import { completeCall } from '../../src/calls/statements.ts'
import { bringTo, makeDue, readCall, storeCall } from '../support/calls.ts'
import { attemptsOf, claimOne, completedCalls, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'
import { enoughToBeHeld, isHeld, sendRun } from '../support/journal.ts'
import { openLedger } from '../support/ledger.ts'
import { until } from '../support/until.ts'

test('many gateways at once claim every call once', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const calls = await completedCalls(pool, 120)
  const claimAll = async (owner: string): Promise<Claim[]> => {
    const claims = await claimCalls(pool, owner, 'mock', 7, leaseSeconds)
    return claims.length === 0 ? [] : [...claims, ...(await claimAll(owner))]
  }
  const owners = Array.from({ length: 8 }, (_, index) => `gateway-${index}`)
  const claims = (await Promise.all(owners.map(claimAll))).flat()
  // A gateway that found everything locked has stopped early.
  claims.push(...(await claimAll('gateway-9')))
  assert.deepEqual(
    claims.map(({ id }) => id).sort((a, b) => a - b),
    calls,
  )
  const { rows } = await pool.query(
    'SELECT count(*) AS attempts, count(DISTINCT call) AS calls FROM attempts',
  )
  assert.deepEqual(rows, [{ attempts: 120, calls: 120 }])
  assert.ok(claims.every((claim) => claim.lease_token === 1 && claim.attempt === 1))
})

test('two who claim calls of the same two journals, in opposite orders, do not lock each other out', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using one = openLedger(database.url)
  await using other = openLedger(database.url)
  for (const [callId, ledger] of [
    ['first', one],
    ['second', other],
    ['third', other],
    ['fourth', one],
  ] as const) {
    await sendRun(ledger, callId, 1, enoughToBeHeld)
    assert.ok(await isHeld(pool, callId))
    await completeCall(pool, callId, 'endpoint', 0)
  }
  const waiting = async () => {
    const { rows } = await pool.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE 'SELECT * FROM claim_calls%'
         AND cardinality(pg_blocking_pids(pid)) > 0`,
    )
    return rows.length
  }
  const hold = async (callId: string) => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(
      `SELECT FROM journals WHERE id IN
         (SELECT journal FROM tracks JOIN calls ON calls.id = call WHERE call_id = $1) FOR UPDATE`,
      [callId],
    )
    return async () => {
      await client.query('ROLLBACK')
      client.release()
    }
  }
  const claimTwo = async (owner: string) => {
    const claims = await claimCalls(pool, owner, 'mock', 2, leaseSeconds)
    return claims.map(({ call_id }) => call_id)
  }
  const release = [await hold('first'), await hold('second')]
  const claims = [claimTwo('one')]
  await until('the first claim waits', async () => (await waiting()) === 1)
  claims.push(claimTwo('other'))
  for (const next of release) {
    await until('both claims wait', async () => (await waiting()) === 2)
    await next()
  }
  assert.deepEqual(await Promise.all(claims), [
    ['first', 'second'],
    ['third', 'fourth'],
  ])
})

test('a claim says all that an attempt needs to know, and seals the call', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const [call] = await completedCalls(pool, 1)
  const [claim] = await claimCalls(pool, 'one', 'mock', 10, leaseSeconds)
  const { seconds_since_completion, seconds_waiting, ...rest } = claim ?? {}
  assert.deepEqual(rest, {
    id: call,
    call_id: 'call-0',
    lease_token: 1,
    attempt: 1,
    burst_attempts: 0,
    redrives: 0,
  })
  assert.ok(Number(seconds_since_completion) >= 0 && Number(seconds_waiting) >= 0)
  const { rows } = await pool.query(
    `SELECT status, lease_owner, sealed_at IS NOT NULL AS sealed,
       due_at > clock_timestamp() + interval '50 seconds' AS leased FROM calls`,
  )
  assert.deepEqual(rows, [
    { status: 'PROCESSING_AI', lease_owner: 'one', sealed: true, leased: true },
  ])
  assert.deepEqual(await claimCalls(pool, 'two', 'mock', 10, leaseSeconds), [])
})

test('a completed call is not claimed before its grace is over', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'graceful')
  await completeCall(pool, 'graceful', 'endpoint', 100)
  assert.deepEqual(await claimCalls(pool, 'one', 'mock', 10, leaseSeconds), [])
  const [next] = await nextAnalysisDue(pool)
  assert.ok(next?.seconds != null && next.seconds > 50 && next.seconds <= 100, `${next?.seconds}`)
  await makeDue(pool, call)
  assert.equal((await claimCalls(pool, 'one', 'mock', 10, leaseSeconds)).length, 1)
})

test('calls in progress, with a result, or given up, are never claimed', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const talking = await storeCall(pool, 'talking')
  const resting = await storeCall(pool, 'resting')
  await bringTo(pool, resting, 'COMPLETED')
  await pool.query('UPDATE calls SET ai_processed_at = now() WHERE id = $1', [resting])
  await makeDue(pool, talking, resting)
  const givenUp = await storeCall(pool, 'given up')
  await bringTo(pool, givenUp, 'FAILED')
  await pool.query('UPDATE calls SET due_at = NULL WHERE id = $1', [givenUp])
  const archived = await storeCall(pool, 'archived')
  await bringTo(pool, archived, 'ARCHIVED')
  assert.deepEqual(await claimCalls(pool, 'one', 'mock', 10, leaseSeconds), [])
  const [next] = await nextAnalysisDue(pool)
  assert.equal(next?.seconds, null)
})

test('the oldest due calls are claimed first, at most as many as asked for', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const calls = await completedCalls(pool, 5)
  for (const [age, call] of calls.toReversed().entries())
    await pool.query('UPDATE calls SET due_at = now() - make_interval(secs => $1) WHERE id = $2', [
      60 - age,
      call,
    ])
  const claims = await claimCalls(pool, 'one', 'mock', 3, leaseSeconds)
  assert.deepEqual(
    claims.map(({ call_id }) => call_id),
    ['call-4', 'call-3', 'call-2'],
  )
})

test('a failed call is re-driven with a new burst when it is due', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const { id, call_id, lease_token } = await claimOne(pool, 'one')
  await endAttempt(pool, id, lease_token, 'retryable', 'AI said 503', true, true, 300)
  assert.equal((await readCall(pool, call_id)).status, 'FAILED')
  assert.deepEqual(await claimCalls(pool, 'two', 'mock', 10, leaseSeconds), [])
  await makeDue(pool, id)
  const [next] = await claimCalls(pool, 'two', 'mock', 10, leaseSeconds)
  assert.deepEqual([next?.attempt, next?.burst_attempts, next?.redrives], [2, 0, 1])
  const { rows } = await pool.query(
    `SELECT data FROM events WHERE status = 'FAILED' AND kind = 'transition'`,
  )
  assert.equal(rows[0]?.data.error, 'AI said 503')
  assert.ok(Date.parse(rows[0]?.data.next_attempt_at) > Date.now() + 250_000)
})

test('a call that is given back can be claimed at once, and has used nothing up', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const { id, lease_token } = await claimOne(pool, 'stopping')
  await endAttempt(pool, id, lease_token, 'released', null, false, false, 0)
  const [next] = await claimCalls(pool, 'other', 'mock', 10, leaseSeconds)
  assert.deepEqual([next?.id, next?.attempt, next?.burst_attempts], [id, 2, 0])
  assert.deepEqual(
    (await attemptsOf(pool)).map(({ outcome }) => outcome),
    ['released', null],
  )
})
