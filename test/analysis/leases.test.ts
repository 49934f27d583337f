// Leases and fencing: what an attempt may still do when its call belongs to somebody else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimCalls, endAttempt, renewLeases, storeResult } from '../../src/analysis/statements.ts'
import { makeDue, readCall, snapshotOf } from '../support/calls.ts'
import { attemptsOf, claimOne, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'

test('a lease that ran out is claimed again with a higher token, and the first attempt is lost', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const first = await claimOne(pool, 'paused')
  assert.deepEqual(await claimCalls(pool, 'other', 'mock', 10, leaseSeconds), [])
  await makeDue(pool, first.id)
  const [second] = await claimCalls(pool, 'other', 'mock', 10, leaseSeconds)
  assert.ok(second)
  assert.deepEqual([second.lease_token, second.attempt, second.burst_attempts], [2, 2, 0])
  assert.deepEqual(await attemptsOf(pool), [
    { number: 1, lease_owner: 'paused', outcome: 'lost', ended: true },
    { number: 2, lease_owner: 'other', outcome: null, ended: false },
  ])
  const before = await snapshotOf(pool, first.id)
  assert.deepEqual(await storeResult(pool, first.id, 1, 'late', 'neutral', 'late', 0), [
    { stored: false },
  ])
  for (const fails of [true, false])
    assert.deepEqual(await endAttempt(pool, first.id, 1, 'retryable', 'late', true, fails, 1), [
      { ended: false },
    ])
  assert.deepEqual(await renewLeases(pool, [first.id], [1], leaseSeconds), [])
  assert.deepEqual(await snapshotOf(pool, first.id), before)
  assert.deepEqual(await storeResult(pool, first.id, 2, 'text', 'neutral', 'short', 0), [
    { stored: true },
  ])
  assert.deepEqual((await attemptsOf(pool)).at(-1), {
    number: 2,
    lease_owner: 'other',
    outcome: 'succeeded',
    ended: true,
  })
})

test('of many results with one token exactly one is stored', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const { id, lease_token } = await claimOne(pool, 'one')
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, index) =>
      storeResult(pool, id, lease_token, `text ${index}`, 'mixed', 'short', index % 2),
    ),
  )
  assert.equal(answers.flat().filter(({ stored }) => stored).length, 1)
  const { rows } = await pool.query(`SELECT FROM events WHERE kind = 'result'`)
  assert.equal(rows.length, 1)
})

test('a result ends the lease: the call rests, or is archived at once', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const [rest, status] of [
    [0, 'ARCHIVED'],
    [3_600, 'COMPLETED'],
  ] as const) {
    const { id, call_id, lease_token } = await claimOne(pool, 'one')
    await storeResult(pool, id, lease_token, 'Hello.', 'positive', 'A greeting.', rest)
    const call = await readCall(pool, call_id)
    assert.deepEqual(
      [call.status, call.transcription, call.sentiment, call.summary, call.error_message],
      [status, 'Hello.', 'positive', 'A greeting.', null],
    )
    assert.ok(call.ai_processed_at)
    assert.deepEqual(await renewLeases(pool, [id], [lease_token], leaseSeconds), [])
    assert.deepEqual(await endAttempt(pool, id, lease_token, 'retryable', 'x', true, true, 1), [
      { ended: false },
    ])
    assert.equal((await readCall(pool, call_id)).status, status)
  }
})

test('only leases that are still held are renewed', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const held = await claimOne(pool, 'one')
  const lost = await claimOne(pool, 'one')
  const given = await claimOne(pool, 'one')
  const failed = await claimOne(pool, 'one')
  await makeDue(pool, lost.id)
  await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
  await endAttempt(pool, given.id, given.lease_token, 'released', null, false, false, 100)
  await endAttempt(pool, failed.id, failed.lease_token, 'permanent', 'no', true, true, null)
  const claims = [held, lost, given, failed]
  const renewed = await renewLeases(
    pool,
    claims.map(({ id }) => id),
    claims.map(({ lease_token }) => lease_token),
    1_000,
  )
  assert.deepEqual(renewed, [{ id: held.id }])
  const { rows } = await pool.query(
    `SELECT id FROM calls WHERE due_at > clock_timestamp() + interval '900 seconds'`,
  )
  assert.deepEqual(rows, [{ id: held.id }])
})

test('a failed attempt waits for its backoff in PROCESSING_AI, and counts towards the burst', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const { id, call_id, lease_token } = await claimOne(pool, 'one')
  assert.deepEqual(
    await endAttempt(pool, id, lease_token, 'retryable', 'AI said 503', true, false, 100),
    [{ ended: true }],
  )
  const call = await readCall(pool, call_id)
  assert.deepEqual([call.status, call.error_message], ['PROCESSING_AI', 'AI said 503'])
  assert.deepEqual(await claimCalls(pool, 'two', 'mock', 10, leaseSeconds), [])
  await makeDue(pool, id)
  const [next] = await claimCalls(pool, 'two', 'mock', 10, leaseSeconds)
  assert.deepEqual([next?.attempt, next?.burst_attempts, next?.lease_token], [2, 1, 2])
  await endAttempt(pool, id, 2, 'outage', 'refused', false, false, 0)
  const [third] = await claimCalls(pool, 'two', 'mock', 10, leaseSeconds)
  assert.deepEqual([third?.attempt, third?.burst_attempts], [3, 1])
  assert.deepEqual(
    (await attemptsOf(pool)).map(({ outcome }) => outcome),
    ['retryable', 'outage', null],
  )
})

test('what the database cannot hold is refused, and the lease stays', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const { id, lease_token } = await claimOne(pool, 'one')
  const before = await snapshotOf(pool, id)
  const data = { name: 'DatabaseFailure', kind: 'data' }
  await assert.rejects(storeResult(pool, id, lease_token, 'a', 'furious', 'b', 0), data)
  await assert.rejects(storeResult(pool, id, lease_token, 'a\0', 'mixed', 'b', 0), data)
  await assert.rejects(endAttempt(pool, id, lease_token, 'retryable', '\0', true, false, 1), data)
  await assert.rejects(
    endAttempt(pool, id, lease_token, 'retryable', 'no next time', true, false, null),
    data,
  )
  assert.deepEqual(await snapshotOf(pool, id), before)
  assert.deepEqual(await storeResult(pool, 4_711, 1, 'a', 'mixed', 'b', 0), [{ stored: false }])
})
