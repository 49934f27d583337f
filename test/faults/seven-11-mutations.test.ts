// Fault 11: tests that would pass without any locking. Here the locks, the fencing and the checks
// are taken out of the database, one at a time, and what the other tests assert is shown to go red
// for each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { findViolations } from '../support/invariants.ts'
import { playLateResult, sleeper } from '../support/late-result.ts'
import { createSender } from '../support/sender.ts'

/** What is put between a reading and its writing, so that two are sure to meet there. */
const meeting = 'pg_sleep(0.02)'

/** Replaces a piece of a function of the test's own database. */
async function mutate(pool: Pool, name: string, piece: string, by: string): Promise<void> {
  const { rows } = await pool.query<{ text: string }>(
    'SELECT pg_get_functiondef($1::regproc) AS text',
    [name],
  )
  const text = rows[0]?.text ?? ''
  assert.ok(text.includes(piece), `${name} has no ${piece}`)
  await pool.query(text.replace(piece, by))
}

test('7.11 without the lock of a track the account is wrong: the checker finds it', async (t) => {
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  /** Twenty lines send the packets of a call by turns over both gateways. */
  const play = async (callId: string) => {
    let next = 1
    async function line(number: number): Promise<void> {
      while (next <= 500) {
        const sequence = next++
        const { url } = gateways.at((sequence + number) % 2)
        await pbx.send(url, { callId, sequence, data: `${sequence}` })
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, number) => line(number)))
    return await findViolations(pool, pbx.history)
  }
  const [read, lock] = ['kept + spilled AS prior,', 'FOR NO KEY UPDATE SKIP LOCKED']
  await mutate(pool, 'commit_packets', read, `${read} ${meeting},`)
  assert.deepEqual(await play('locked'), [])
  await mutate(pool, 'commit_packets', `track = batch.track\n    ${lock}`, 'track = batch.track')
  for (let round = 1; round <= 30; round += 1) {
    const violations = await play(`call-${round}`)
    const found = violations.find((one) => one.startsWith(`I4 call-${round}: track mixed:`))
    if (found !== undefined) {
      t.diagnostic(`red in round ${round} of 30: ${found}`)
      return
    }
  }
  assert.fail('30 rounds, and the account is right')
})

test('7.11 without a safe insert, two first packets at one instant get an error', async (t) => {
  await using database = await createDatabase()
  const safe = 'ON CONFLICT DO NOTHING\n      RETURNING id'
  await mutate(database.pool, 'commit_packets', safe, 'RETURNING id')
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  for (let round = 0; round < 200; round += 1) {
    const answers = await Promise.all(
      gateways.urls().map((url, place) => {
        const sequence = place + 1
        return pbx.send(url, { callId: `new-${round}`, sequence, data: `${sequence}` })
      }),
    )
    if (answers.some(({ status }) => status === 202) && answers.some((a) => a.status === 500)) {
      t.diagnostic(`red in round ${round + 1} of 200`)
      return
    }
  }
  assert.fail('200 rounds, and no error')
})

test('7.11 without the fencing token a late result counts: the checker finds it', async (t) => {
  await using database = await createDatabase()
  for (const name of ['store_step', 'store_result'])
    await mutate(database.pool, name, 'AND lease_token = p_token', '')
  // Else the sleeper learns that its lease is lost before it has something to store.
  await mutate(database.pool, 'renew_leases', 'AND calls.lease_token = held.token', '')
  await using gateways = await startFleet(database.url, 1, sleeper)
  using pbx = createSender(() => [gateways.at(0).url])
  await playLateResult(database, gateways, pbx, 'late')
  const violations = await findViolations(database.pool, pbx.history)
  t.diagnostic(violations.join('; '))
  assert.ok(violations.includes('I6 late: the result of token 1 is stored; the lease has 2'))
})

test('7.11 without the lock of completion some of 50 at once are refused', async (t) => {
  await using database = await createDatabase()
  await unlockCompletion(database.pool)
  const { refused } = await completeAtOnce(database.url)
  t.diagnostic(`${refused} of 500 were refused`)
  assert.ok(refused > 0)
})

test('7.11 without the check of transitions a call ends twice: the checker finds it', async (t) => {
  await using database = await createDatabase()
  await unlockCompletion(database.pool)
  await mutate(
    database.pool,
    'transition_call',
    'IF NOT is_legal_transition',
    'IF false AND NOT is_legal_transition',
  )
  const { history } = await completeAtOnce(database.url)
  const violations = await findViolations(database.pool, history)
  t.diagnostic(violations[0] ?? 'nothing found')
  assert.ok(violations.some((it) => /^I5 call-\d: COMPLETED to COMPLETED follows/.test(it)))
})

async function unlockCompletion(pool: Pool): Promise<void> {
  const inProgress = "status = 'IN_PROGRESS' THEN"
  await mutate(pool, 'complete_call', inProgress, `${inProgress} PERFORM ${meeting};`)
  await mutate(pool, 'complete_call', 'FOR NO KEY UPDATE', '')
}

/** Completes each of ten calls 50 times at once over two gateways. */
async function completeAtOnce(databaseUrl: string) {
  await using gateways = await startFleet(databaseUrl, 2, { COMPLETION_GRACE_SECONDS: '3600' })
  using pbx = createSender(gateways.urls)
  let refused = 0
  for (let round = 0; round < 10; round += 1) {
    const callId = `call-${round}`
    await pbx.deliver({ callId, sequence: 1, data: 'good bye' })
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) => pbx.complete(gateways.at(number % 2).url, callId)),
    )
    refused += answers.filter((answer) => answer?.status !== 200).length
  }
  return { refused, history: pbx.history }
}
