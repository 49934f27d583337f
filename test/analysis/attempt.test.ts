// One attempt, whatever the provider does. Nothing may keep a call from its next step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnalysisResult, type Provider, ProviderError } from '../../src/analysis/provider.ts'
import { createPool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { attempt, nextBurstAttempts, result } from '../support/attempts.ts'
import { readCall, snapshotOf, storeCall } from '../support/calls.ts'
import { claimOne } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'

test('a provider that answers is heard once, and its result is stored', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await storeCall(pool, 'filler')
  const claim = await claimOne(pool)
  const heard: unknown[] = []
  const outcome = await attempt(pool, claim, async ({ callId, attempt: number, packets }) => {
    heard.push(callId, number)
    for await (const { sequence, payload } of packets) heard.push(sequence, String(payload))
    return result
  })
  assert.equal(outcome, 'succeeded')
  assert.deepEqual(heard, [claim.call_id, 1, 1, `packet 1 of ${claim.call_id}`])
  const { status, transcription, sentiment, summary } = await readCall(pool, claim.call_id)
  assert.deepEqual({ transcription, sentiment, summary }, result)
  assert.equal(status, 'ARCHIVED')
})

test('a provider that says no is quoted, and the call waits for its next attempt', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  const outcome = await attempt(pool, claim, () =>
    Promise.reject(new ProviderError('retryable', '503 Service Unavailable')),
  )
  assert.equal(outcome, 'failed')
  const call = await readCall(pool, claim.call_id)
  assert.deepEqual([call.status, call.error_message], ['PROCESSING_AI', '503 Service Unavailable'])
  assert.deepEqual(await nextBurstAttempts(pool, claim), 1)
})

test('an outage uses nothing up, and what can never succeed fails the call for good', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  await attempt(pool, claim, () => Promise.reject(new ProviderError('outage', 'refused')))
  assert.equal(await nextBurstAttempts(pool, claim), 0)
  const hopeless = await claimOne(pool)
  await attempt(pool, hopeless, () => Promise.reject(new ProviderError('permanent', 'no audio')))
  const { rows } = await pool.query('SELECT status, due_at FROM calls WHERE id = $1', [hopeless.id])
  assert.deepEqual(rows, [{ status: 'FAILED', due_at: null }])
})

const garbage = (value: unknown) => () => Promise.resolve(value as AnalysisResult)
const oddProviders: readonly (readonly [name: string, analyse: Provider['analyse']])[] = [
  ['throws a text', () => Promise.reject('SECRET')],
  ['throws nothing', () => Promise.reject(undefined)],
  ['throws a TypeError', () => Promise.reject(new TypeError('SECRET'))],
  [
    'throws before it promises anything',
    () => {
      throw new RangeError('SECRET')
    },
  ],
  ['answers nothing', garbage(undefined)],
  ['answers a text', garbage('SECRET')],
  ['answers no text', garbage({ ...result, transcription: 42 })],
  ['answers half', garbage({ transcription: 'SECRET' })],
  ['invents a mood', garbage({ ...result, sentiment: 'furious' })],
  ['reads the packets wrongly', ({ packets }) => (packets as unknown as { map: never }).map],
]

test('a provider that does something it should not costs an attempt, and its words reach nobody', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const [name, analyse] of oddProviders) {
    const claim = await claimOne(pool)
    assert.equal(await attempt(pool, claim, analyse), 'failed', name)
    const call = await readCall(pool, claim.call_id)
    assert.deepEqual(
      [call.status, call.error_message, call.transcription],
      ['PROCESSING_AI', 'The provider failed unexpectedly', null],
      name,
    )
    assert.equal(await nextBurstAttempts(pool, claim), 1, name)
  }
})

test('a text with U+0000 is stored without it, in a result and in an error', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const claim = await claimOne(pool)
  const said = { transcription: 'a\0b', sentiment: 'mixed', summary: '\0' } as const
  assert.equal(await attempt(pool, claim, async () => said), 'succeeded')
  const call = await readCall(pool, claim.call_id)
  assert.deepEqual([call.transcription, call.summary], ['a\uFFFDb', '\uFFFD'])
  const failing = await claimOne(pool)
  await attempt(pool, failing, () => Promise.reject(new ProviderError('retryable', 'bad \0')))
  assert.equal((await readCall(pool, failing.call_id)).error_message, 'bad \uFFFD')
})

test('when the database is gone an attempt says so, and leaves the call to its lease', async () => {
  await using database = await createDatabase()
  const claim = await claimOne(database.pool)
  const before = await snapshotOf(database.pool, claim.id)
  const gone = createPool(database.url, 'test', 1, createLogger({ level: 'silent', pretty: false }))
  await gone.end()
  const unavailable = { name: 'DatabaseFailure', kind: 'unavailable' }
  await assert.rejects(
    attempt(gone, claim, async () => result),
    unavailable,
  )
  await assert.rejects(
    attempt(gone, claim, () => Promise.reject(new ProviderError('retryable', 'no'))),
    unavailable,
  )
  const reading: Provider['analyse'] = async ({ packets }) => {
    for await (const _ of packets) assert.fail('there is no database')
    return result
  }
  await assert.rejects(attempt(gone, claim, reading), unavailable)
  assert.deepEqual(await snapshotOf(database.pool, claim.id), before)
})
