// Two gateways ask the same AI services.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Candidate, createHealth, type Health } from '../../src/analysis/health.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/analysis/provider.ts'
import { NotNow } from '../../src/analysis/refusals.ts'
import { claimCalls, endAttempt } from '../../src/analysis/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { completedCalls, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const logger = createLogger({ level: 'silent', pretty: false })
const never = new AbortController().signal

function gateway(pool: Pool, owner: string): Health {
  return createHealth({ pool, owner, expiresSeconds: 30, logger })
}

function answers<T>(name: string, value: T): Candidate<T> {
  return { name, ask: async () => ({ value, use: { audioSeconds: 2 }, model: 'm-1' }) }
}

function fails(name: string, kind: ProviderErrorKind, retryAfterSeconds?: number) {
  const asked = { times: 0 }
  const ask = async (): Promise<never> => {
    asked.times += 1
    throw new ProviderError(kind, `${name}: ${kind}`, { retryAfterSeconds })
  }
  return { name, ask, asked }
}

function isNotNow(error: unknown): boolean {
  return error instanceof NotNow && error.waitSeconds > 0
}

test('the limit of a service holds over two gateways; who is over it waits for its turn', async () => {
  await using database = await createDatabase()
  const gateways = [gateway(database.pool, 'one'), gateway(database.pool, 'two')]
  await gateways[0]?.declare([{ name: 'service', ceiling: 3 }])
  const inFlight = { now: 0, most: 0 }
  const ask = async () => {
    inFlight.now += 1
    inFlight.most = Math.max(inFlight.most, inFlight.now)
    await pause(5)
    inFlight.now -= 1
    return { value: 'answer', use: {}, model: null }
  }
  const given = await Promise.all(
    Array.from({ length: 30 }, (_, call) =>
      gateways[call % 2]?.ask(call, 'transcript', [{ name: 'service', ask }], never),
    ),
  )
  assert.ok(given.every((each) => each?.value === 'answer'))
  assert.equal(inFlight.most, 3)
  for (const each of gateways) await each.stop()
})

test('a service that is busy is waited for: the next one is for when it is away', async () => {
  await using database = await createDatabase()
  const health = gateway(database.pool, 'one')
  await health.declare([
    { name: 'first', ceiling: 1 },
    { name: 'second', ceiling: 9 },
  ])
  const { promise: held, resolve: answer } = Promise.withResolvers<void>()
  const slow: Candidate<string> = {
    name: 'first',
    ask: async () => {
      await held
      return { value: 'slow', use: {}, model: null }
    },
  }
  const both = [slow, answers('second', 'other')]
  const one = health.ask(1, 'transcript', both, never)
  await until('the first is busy', async () => {
    return (await health.capacity(['first', 'second'], 1)).free === 0
  })
  const two = health.ask(2, 'transcript', [answers('first', 'next'), ...both.slice(1)], never)
  answer()
  assert.deepEqual([(await one).value, (await two).value], ['slow', 'next'])
  await health.stop()
})

test('the next service is asked when one is away, pauses, has wrong settings or cannot deal with the call', async () => {
  for (const kind of ['outage', 'configuration', 'permanent'] as const) {
    await using database = await createDatabase()
    const health = gateway(database.pool, 'one')
    await health.declare([
      { name: 'first', ceiling: 9 },
      { name: 'second', ceiling: 9 },
    ])
    const first = fails('first', kind, kind === 'outage' ? 60 : undefined)
    const both = [first, answers('second', 'words')]
    const given = await health.ask(1, 'transcript', both, never)
    const { provider, value, model, use } = given
    assert.deepEqual(
      [provider, value, model, use],
      ['second', 'words', 'm-1', { audioSeconds: 2 }],
      kind,
    )
    await health.ask(2, 'transcript', both, never)
    assert.equal(first.asked.times, kind === 'permanent' ? 2 : 1, kind)
    await health.stop()
  }
})

test('what may go away by itself is not tried elsewhere', async () => {
  await using database = await createDatabase()
  const health = gateway(database.pool, 'one')
  await health.declare([
    { name: 'first', ceiling: 9 },
    { name: 'second', ceiling: 9 },
  ])
  const second = fails('second', 'permanent')
  await assert.rejects(
    health.ask(1, 'transcript', [fails('first', 'retryable'), second], never),
    /first: retryable/,
  )
  assert.equal(second.asked.times, 0)
  await health.stop()
})

test('before a call is given up for now, the next service is asked', async () => {
  await using database = await createDatabase()
  const health = gateway(database.pool, 'one')
  await health.declare([
    { name: 'first', ceiling: 9 },
    { name: 'second', ceiling: 9 },
  ])
  const first = fails('first', 'retryable')
  const given = await health.ask(1, 'transcript', [first, answers('second', 'words')], never, true)
  assert.deepEqual([given.provider, given.value], ['second', 'words'])
  await assert.rejects(
    health.ask(2, 'transcript', [first, fails('second', 'outage', 60)], never, true),
    /first: retryable/,
  )
  await health.stop()
})

test('a call fails for good only when every service says that it cannot deal with it', async () => {
  await using database = await createDatabase()
  const health = gateway(database.pool, 'one')
  await health.declare([
    { name: 'first', ceiling: 9 },
    { name: 'second', ceiling: 9 },
  ])
  const hopeless = fails('first', 'permanent')
  await assert.rejects(
    health.ask(1, 'transcript', [hopeless, fails('second', 'permanent')], never),
    { kind: 'permanent' },
  )
  await assert.rejects(
    health.ask(2, 'transcript', [hopeless, fails('second', 'outage', 60)], never),
    { kind: 'outage' },
  )
  await assert.rejects(
    health.ask(3, 'transcript', [hopeless, answers('second', 'words')], never),
    isNotNow,
  )
  await health.stop()
})

test('while all are away nobody is asked, by any gateway, and there is no room for calls', async () => {
  await using database = await createDatabase()
  const [one, two] = [gateway(database.pool, 'one'), gateway(database.pool, 'two')]
  await one.declare([{ name: 'service', ceiling: 9 }])
  const service = fails('service', 'outage', 60)
  await assert.rejects(one.ask(1, 'transcript', [service], never), { kind: 'outage' })
  for (const health of [one, two]) {
    await assert.rejects(health.ask(2, 'transcript', [service], never), isNotNow)
    const { free, waitSeconds } = await health.capacity(['service'], 0)
    assert.equal(free, 0)
    assert.ok(waitSeconds > 50)
    await health.stop()
  }
  assert.equal(service.asked.times, 1)
})

test('there is room for calls at the first service that is well, less those that are about to ask it', async () => {
  await using database = await createDatabase()
  const health = gateway(database.pool, 'one')
  const names = ['first', 'second']
  await health.declare([
    { name: 'first', ceiling: 5 },
    { name: 'second', ceiling: 7 },
  ])
  assert.equal((await health.capacity(names, 0)).free, 5)
  assert.equal((await health.capacity(names, 4)).free, 1)
  assert.equal((await health.capacity(names, 6)).free, 0)
  await assert.rejects(health.ask(1, 'mood', [fails('first', 'configuration')], never))
  assert.equal((await health.capacity(names, 0)).free, 7)
  await health.stop()
})

test('a request that is given up says nothing of the service, and does not outlive the gateway', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const health = gateway(pool, 'one')
  await health.declare([{ name: 'service', ceiling: 1 }])
  const abort = new AbortController()
  const answer = { value: 'words', use: {}, model: null }
  const asking = health.ask(
    1,
    'transcript',
    [
      {
        name: 'service',
        ask: () => pause(3_600_000, answer, { signal: abort.signal }),
      },
    ],
    abort.signal,
  )
  await until('it is under way', async () => (await health.capacity(['service'], 0)).free === 0)
  const waiting = health.ask(2, 'transcript', [answers('service', 'words')], abort.signal)
  const ends = [assert.rejects(asking), assert.rejects(waiting, /enough/)]
  abort.abort(new Error('enough'))
  await health.stop()
  const { rows } = await pool.query('SELECT FROM provider_requests')
  assert.equal(rows.length, 0)
  await Promise.all(ends)
  const outcomes = await pool.query('SELECT FROM provider_outcomes')
  assert.equal(outcomes.rows.length, 0)
})

test('a service that breaks its word costs one request, and its words reach nobody', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const health = gateway(pool, 'one')
  await health.declare([{ name: 'service', ceiling: 1 }])
  const odd = { name: 'service', ask: () => Promise.reject(new TypeError('SECRET')) }
  await assert.rejects(health.ask(1, 'transcript', [odd], never), TypeError)
  const { rows } = await pool.query('SELECT last_error, state FROM providers')
  assert.deepEqual(rows, [{ last_error: 'The provider failed unexpectedly', state: 'closed' }])
  await health.stop()
})

test('when a service is well again, calls that waited for it come before younger ones', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const health = gateway(pool, 'one')
  await health.declare([{ name: 'service', ceiling: 9 }])
  await completedCalls(pool, 4)
  const [first, second, third] = await claimCalls(pool, 'one', 'service', 3, leaseSeconds)
  assert.ok(first && second && third)
  await endAttempt(pool, first.id, first.lease_token, 'outage', 'away', false, false, 100)
  await endAttempt(pool, second.id, second.lease_token, 'retryable', 'broken', true, false, 100)
  await assert.rejects(health.ask(third.id, 'transcript', [fails('service', 'outage', 60)], never))
  await pool.query('UPDATE providers SET retry_at = clock_timestamp()')
  await health.ask(third.id, 'transcript', [answers('service', 'words')], never)
  await health.stop()
  const next = await claimCalls(pool, 'two', 'service', 4, leaseSeconds)
  // The second waits because its own attempt failed, and the third is in work.
  assert.deepEqual(
    next.map(({ call_id }) => call_id),
    ['call-0', 'call-3'],
  )
})
