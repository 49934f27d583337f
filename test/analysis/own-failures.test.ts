// A service refuses one call again and again, and answers others meanwhile: what nobody pays for in an outage.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptOutcome } from '../../src/analysis/attempt.ts'
import { type Candidate, createHealth } from '../../src/analysis/health.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/analysis/provider.ts'
import { type Claim, claimCalls } from '../../src/analysis/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { attempt, result } from '../support/attempts.ts'
import { makeDue, readCall } from '../support/calls.ts'
import { claimOne, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'

const never = new AbortController().signal
const words = { value: 'words', use: {}, model: null }

function answers(name: string): Candidate<string> {
  return { name, ask: async () => words }
}

function refuses(name: string, kind: ProviderErrorKind): Candidate<string> {
  return { name, ask: () => Promise.reject(new ProviderError(kind, `${name}: 429`)) }
}

/** Services that know of each other's trouble, and one call that is attempted whenever the test says so. */
async function createFloor(pool: Pool, names: readonly string[]) {
  const logger = createLogger({ level: 'silent', pretty: false })
  const health = createHealth({ pool, owner: 'one', expiresSeconds: 30, logger })
  const elsewhere = createHealth({ pool, owner: 'two', expiresSeconds: 30, logger })
  await health.declare(names.map((name) => ({ name, ceiling: 9 })))
  let claim: Claim = await claimOne(pool)
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all([health.stop(), elsewhere.stop()])
    },
    callId: claim.call_id,
    askAboutAnother: (name: string) => health.ask(0, 'transcript', [answers(name)], never),
    /** As a second gateway, which may have another key. */
    askElsewhere: (name: string) => elsewhere.ask(0, 'transcript', [answers(name)], never),
    tryCall: (candidates: readonly Candidate<string>[]): Promise<AttemptOutcome> =>
      attempt(pool, claim, async () => result, {
        work: async ({ id }, signal) => {
          await health.ask(id, 'transcript', candidates, signal)
          return result
        },
      }),
    /** Whatever was said of a wait is over; the claim that follows. */
    next: async () => {
      await pool.query('UPDATE providers SET retry_at = clock_timestamp()')
      await makeDue(pool, claim.id)
      const [next] = await claimCalls(pool, 'one', names[0] ?? '', 1, leaseSeconds)
      assert.ok(next)
      claim = next
      return next
    },
    outcomes: async () => {
      const { rows } = await pool.query<{ outcome: string }>(
        'SELECT outcome FROM attempts WHERE call = $1 AND ended_at IS NOT NULL ORDER BY number',
        [claim.id],
      )
      return rows.map(({ outcome }) => outcome)
    },
  }
}

for (const kind of ['outage', 'configuration'] as const)
  test(`a call that meets with "${kind}" alone, again and again, is FAILED with the reason`, async () => {
    await using database = await createDatabase()
    const { pool } = database
    await using floor = await createFloor(pool, ['service'])
    await floor.tryCall([refuses('service', kind)])
    for (let failure = 1; failure <= 5; failure += 1) {
      assert.equal((await floor.next()).burst_attempts, failure - 1)
      await floor.askAboutAnother('service')
      await floor.tryCall([refuses('service', kind)])
    }
    assert.deepEqual(await floor.outcomes(), ['outage', ...Array(5).fill('retryable')])
    const { status, error_message } = await readCall(pool, floor.callId)
    assert.deepEqual([status, error_message], ['FAILED', 'service: 429; it answers others'])
    const { rows } = await pool.query('SELECT FROM calls WHERE due_at > clock_timestamp()')
    assert.equal(rows.length, 1, 'it is tried anew')
  })

test('an outage costs nothing, however often a call is refused in it', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using floor = await createFloor(pool, ['service'])
  await floor.askAboutAnother('service')
  for (let refusal = 0; refusal < 8; refusal += 1) {
    await floor.tryCall([refuses('service', 'outage')])
    assert.equal((await floor.next()).burst_attempts, 0)
  }
  assert.equal(await floor.tryCall([answers('service')]), 'succeeded')
  assert.deepEqual(await floor.outcomes(), [...Array(8).fill('outage'), 'succeeded'])
})

test('what was answered before the last refusal says nothing of the next', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using floor = await createFloor(pool, ['service'])
  await floor.tryCall([refuses('service', 'outage')])
  await floor.next()
  await floor.askAboutAnother('service')
  for (let refusal = 0; refusal < 3; refusal += 1) {
    await floor.tryCall([refuses('service', 'outage')])
    await floor.next()
  }
  assert.deepEqual(await floor.outcomes(), ['outage', 'retryable', 'outage', 'outage'])
})

for (const kind of ['outage', 'configuration'] as const)
  test(`"${kind}" at a gateway that is not answered itself costs nothing, whatever others are answered`, async () => {
    await using database = await createDatabase()
    const { pool } = database
    await using floor = await createFloor(pool, ['service'])
    for (let refusal = 0; refusal < 3; refusal += 1) {
      await floor.tryCall([refuses('service', kind)])
      assert.equal((await floor.next()).burst_attempts, 0)
      await floor.askElsewhere('service')
    }
    assert.deepEqual(await floor.outcomes(), Array(3).fill('outage'))
    await floor.askAboutAnother('service')
    await floor.tryCall([refuses('service', kind)])
    assert.deepEqual((await floor.outcomes()).at(-1), 'retryable', 'now it knows better')
  })

test('it is the service’s word that counts, not that of another one', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using floor = await createFloor(pool, ['first', 'second'])
  const both = [refuses('first', 'outage'), refuses('second', 'outage')]
  await floor.tryCall(both)
  await floor.next()
  await floor.tryCall(both)
  await floor.next()
  assert.deepEqual(await floor.outcomes(), ['outage', 'outage'])
  await floor.askAboutAnother('second')
  await floor.tryCall([refuses('first', 'outage')])
  await floor.next()
  assert.deepEqual(await floor.outcomes(), ['outage', 'outage', 'outage'])
  await floor.tryCall(both)
  assert.deepEqual((await floor.outcomes()).at(-1), 'retryable')
})

test('the next service is asked all the same; if that is away, nobody waits for it unheard', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using floor = await createFloor(pool, ['first', 'second'])
  await floor.tryCall([refuses('first', 'outage')])
  await floor.next()
  await floor.askAboutAnother('first')
  await pool.query(`SELECT stop_asking('second', 'paused', '401', 60, false)`)
  await floor.tryCall([refuses('first', 'outage'), answers('second')])
  assert.deepEqual(await floor.outcomes(), ['outage', 'retryable'])
  await floor.next()
  await floor.askAboutAnother('first')
  assert.equal(await floor.tryCall([refuses('first', 'outage'), answers('second')]), 'succeeded')
})
