// When an AI service is asked and when not, as all gateways see it: the rules of docs/providers.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providerCapacity, renewRequests } from '../../src/analysis/health-statements.ts'
import { createDatabase } from '../support/database.ts'
import { declareService } from '../support/provider-health.ts'

function assertWait(wait: number | null, seconds: number): void {
  assert.ok(wait !== null && wait > seconds - 1 && wait <= seconds, `${wait} s, not ${seconds} s`)
}

test('three requests in a row that find nobody there open it, and any answer in between does not', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  for (const between of ['succeeded', 'retryable', 'permanent'] as const) {
    await service.ask('outage')
    await service.ask('outage')
    await service.ask(between)
    assert.equal((await service.read()).state, 'closed', between)
  }
  for (let failure = 0; failure < 3; failure += 1)
    await service.ask('outage', { error: 'cannot be reached' })
  const { state, reason, wait } = await service.read()
  assert.deepEqual([state, reason], ['open', 'cannot be reached'])
  assertWait(wait, 1)
  assert.equal(await service.admit('one'), null)
  assert.equal(await service.admit('two'), null)
})

test('of at least twenty requests 60 % must fail', async () => {
  await using database = await createDatabase()
  const few = await declareService(database.pool, 8, 'few')
  for (let failure = 0; failure < 19; failure += 1) await few.ask('retryable')
  assert.equal((await few.read()).state, 'closed')
  await few.ask('retryable')
  assert.equal((await few.read()).state, 'open')

  const often = await declareService(database.pool, 8, 'often')
  for (let success = 0; success < 21; success += 1) await often.ask('succeeded')
  for (let failure = 0; failure < 31; failure += 1) await often.ask('retryable')
  assert.equal((await often.read()).state, 'closed')
  await often.ask('retryable')
  assert.equal((await often.read()).state, 'open')
})

test('what failed more than twenty seconds ago, or before it healed, is forgotten', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const service = await declareService(pool, 8)
  for (let failure = 0; failure < 19; failure += 1) await service.ask('retryable')
  await pool.query(`UPDATE provider_outcomes SET since = since - interval '20 s'`)
  await service.ask('retryable')
  assert.equal((await service.read()).state, 'closed')

  for (let failure = 0; failure < 19; failure += 1) await service.ask('retryable')
  assert.equal((await service.read()).state, 'open')
  await service.endWait()
  await service.ask('succeeded')
  for (let failure = 0; failure < 15; failure += 1) await service.ask('retryable')
  assert.equal((await service.read()).state, 'closed')
})

test('it waits 1, 2, 4 … 30 s, and 1 s again once it is healed for good', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 3)
  await service.open()
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    assertWait((await service.read()).wait, seconds)
    await service.endWait()
    await service.ask('retryable')
  }
  await service.endWait()
  for (let success = 0; success < 3; success += 1) await service.ask('succeeded')
  await service.open()
  assertWait((await service.read()).wait, 1)
})

test('after the wait exactly one request tries it, however many processes ask at once', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  await service.open()
  for (let round = 0; round < 5; round += 1) {
    await service.endWait()
    const leaves = await Promise.all(
      Array.from({ length: 30 }, (_, number) => service.admit(number % 2 === 0 ? 'one' : 'two')),
    )
    const probes = leaves.filter((leave) => leave !== null)
    assert.equal(probes.length, 1)
    assert.equal((await service.read()).state, 'half_open')
    await service.report(probes[0] ?? 0, 'outage')
    assert.equal((await service.read()).state, 'open')
  }
})

test('a trial that nobody finished is made by another: one that is given up, one of a vanished process', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const service = await declareService(pool, 8)
  await service.open()
  await service.endWait()
  await service.ask('released')
  assert.equal((await service.read()).state, 'half_open')
  assert.notEqual(await service.admit('vanishes'), null)
  assert.equal(await service.admit('two'), null)
  await pool.query(`UPDATE provider_requests SET expires_at = clock_timestamp() - interval '1 ms'`)
  assert.notEqual(await service.admit('two'), null)
})

test('healed, it gets one request more with every answer, up to its limit', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const service = await declareService(pool, 5)
  await service.open()
  await service.endWait()
  await service.ask('succeeded')
  for (const allowed of [2, 3, 4, 5, 5]) {
    assert.equal((await service.read()).allowed, allowed)
    const leaves = await Promise.all(Array.from({ length: 8 }, () => service.admit()))
    const given = leaves.filter((leave) => leave !== null)
    assert.equal(given.length, allowed)
    const [capacity] = await providerCapacity(pool, ['service'])
    assert.deepEqual([capacity?.state, capacity?.free], ['closed', 0])
    for (const request of given.slice(1)) await service.report(request, 'released')
    await service.report(given[0] ?? 0, 'succeeded')
  }
})

test('what was under way before it failed neither closes nor opens it', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 30)
  const before: number[] = []
  for (let number = 0; number < 25; number += 1) before.push((await service.admit()) ?? 0)
  const late = () => before.shift() ?? 0
  await service.open()
  await service.report(late(), 'succeeded')
  assert.equal((await service.read()).state, 'open')

  await service.endWait()
  const probe = await service.admit()
  await service.report(late(), 'succeeded')
  assert.equal((await service.read()).state, 'half_open', 'a late success is no trial')
  await service.report(late(), 'outage')
  assert.equal((await service.read()).state, 'half_open', 'nor is a late failure')
  await service.report(probe ?? 0, 'succeeded')
  for (const request of before) await service.report(request, 'outage')
  const { state, allowed } = await service.read()
  assert.deepEqual([state, allowed], ['closed', 2])
})

test('requests that hang since before it failed do not keep it from being tried, and count towards its limit', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 4)
  for (let number = 0; number < 3; number += 1) assert.notEqual(await service.admit(), null)
  await service.open()
  await service.endWait()
  await service.ask('succeeded')
  assert.notEqual(await service.admit(), null)
  assert.equal(await service.admit(), null, 'three that hang and one make four')
})

test('a Retry-After is a gate for all; it is never under a second nor over an hour', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  for (const [asked, waited] of [
    [0, 1],
    [-5, 1],
    [7, 7],
    [1e9, 3600],
  ] as const) {
    await service.ask('outage', { retryAfter: asked, error: '429 Too Many Requests' })
    const { state, wait } = await service.read()
    assert.equal(state, 'open')
    assertWait(wait, waited)
    assert.equal(await service.admit('two'), null)
    await service.endWait()
  }
})

test('a longer Retry-After is not cut short by another request, nor does a trial that obeyed it count as an opening', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  const [one, two, three] = [await service.admit(), await service.admit(), await service.admit()]
  await service.report(one ?? 0, 'outage', { retryAfter: 60 })
  await service.report(two ?? 0, 'outage', { retryAfter: 5 })
  await service.report(three ?? 0, 'retryable')
  assertWait((await service.read()).wait, 60)
  await service.endWait()
  await service.ask('outage', { retryAfter: 3 })
  await service.endWait()
  await service.ask('retryable')
  assertWait((await service.read()).wait, 1)
})

test('wrong settings pause it for a minute; a gateway that starts has it tried at once', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  await service.ask('configuration', { error: '401 Unauthorized' })
  const paused = await service.read()
  assert.deepEqual([paused.state, paused.reason], ['paused', '401 Unauthorized'])
  assertWait(paused.wait, 60)
  assert.equal(await service.admit(), null)
  await declareService(database.pool, 8)
  await service.ask('succeeded')
  assert.equal((await service.read()).state, 'closed')
})

test('requests of a vanished process expire; those of a living one do not', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const service = await declareService(pool, 2)
  const lives = await service.admit('lives')
  await service.admit('vanishes')
  await pool.query(`UPDATE provider_requests SET expires_at = clock_timestamp() - interval '1 ms'`)
  await renewRequests(pool, [lives ?? 0], 30)
  assert.notEqual(await service.admit('two'), null)
  assert.equal(await service.admit('two'), null)
})

test('a limit that changed counts at once, and a service that heals goes on healing', async () => {
  await using database = await createDatabase()
  const service = await declareService(database.pool, 8)
  await declareService(database.pool, 3)
  assert.equal((await service.read()).allowed, 3)
  await service.open()
  await service.endWait()
  await service.ask('succeeded')
  await declareService(database.pool, 9)
  assert.equal((await service.read()).allowed, 2)
})

test('outcomes of more than a day ago are deleted', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const service = await declareService(pool, 8)
  await service.ask('succeeded')
  await pool.query(`UPDATE provider_outcomes SET since = since - interval '25 hours'`)
  await service.ask('succeeded')
  const { rows } = await pool.query('SELECT FROM provider_outcomes')
  assert.equal(rows.length, 1)
})
