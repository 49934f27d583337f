// How an attempt ends that does not end by itself: by its timeout, a shutdown, or the loss of its lease.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { leaseLost, shuttingDown } from '../../src/analysis/attempt.ts'
import { type Provider, ProviderError } from '../../src/analysis/provider.ts'
import { claimCalls } from '../../src/analysis/statements.ts'
import { attempt, nextBurstAttempts, result } from '../support/attempts.ts'
import { makeDue, readCall, snapshotOf } from '../support/calls.ts'
import { attemptsOf, claimOne, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'

const hanging: readonly (readonly [name: string, analyse: Provider['analyse']])[] = [
  ['stops when it is told to', (_, signal) => pause(3_600_000, result, { signal })],
  ['does not listen', () => new Promise(() => {})],
  [
    'answers an abort with an error of its own',
    async (_, signal) => {
      await pause(3_600_000, undefined, { signal }).catch(() => {})
      throw new TypeError('terminated')
    },
  ],
]

test('a provider that hangs is given up after the timeout, whether it listens or not', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const [name, analyse] of hanging) {
    const claim = await claimOne(pool)
    const outcome = await attempt(pool, claim, analyse, { deadlineSeconds: 0.05 })
    assert.equal(outcome, 'failed', name)
    const { error_message } = await readCall(pool, claim.call_id)
    assert.equal(error_message, 'Not done within 0.05 s', name)
    assert.equal(await nextBurstAttempts(pool, claim), 1, name)
  }
})

test('at a shutdown a call is given back at once, whether the provider listens or not', async () => {
  for (const [name, analyse] of hanging) {
    await using database = await createDatabase()
    const { pool } = database
    const claim = await claimOne(pool)
    const abort = new AbortController()
    const outcome = attempt(pool, claim, analyse, {}, abort.signal)
    abort.abort(shuttingDown)
    assert.equal(await outcome, 'released', name)
    const [next] = await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
    assert.deepEqual([next?.id, next?.attempt, next?.burst_attempts], [claim.id, 2, 0], name)
    assert.equal((await readCall(pool, claim.call_id)).error_message, null, name)
    assert.equal((await attemptsOf(pool))[0]?.outcome, 'released', name)
  }
})

test('an attempt that has lost its lease ends and changes nothing', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const [name, analyse] of hanging) {
    const claim = await claimOne(pool)
    await makeDue(pool, claim.id)
    await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
    const before = await snapshotOf(pool, claim.id)
    const abort = new AbortController()
    const outcome = attempt(pool, claim, analyse, {}, abort.signal)
    abort.abort(leaseLost)
    assert.equal(await outcome, 'refused', name)
    assert.deepEqual(await snapshotOf(pool, claim.id), before, name)
  }
})

test('an attempt that was stopped before it began asks nobody to wait', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  const stopped = AbortSignal.abort(shuttingDown)
  assert.equal(await attempt(pool, claim, () => new Promise(() => {}), {}, stopped), 'released')
})

test('what an attempt says after its call was claimed by another is not stored', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  await makeDue(pool, claim.id)
  await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
  const before = await snapshotOf(pool, claim.id)
  assert.equal(await attempt(pool, claim, async () => result), 'refused')
  assert.equal(
    await attempt(pool, claim, () => Promise.reject(new ProviderError('permanent', 'late'))),
    'refused',
  )
  assert.deepEqual(await snapshotOf(pool, claim.id), before)
})

test('a result that is there counts, even when the gateway began to stop meanwhile', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  const abort = new AbortController()
  const analyse = async () => {
    setImmediate(() => abort.abort(shuttingDown))
    return result
  }
  assert.equal(await attempt(pool, claim, analyse, {}, abort.signal), 'succeeded')
})
