// A person in a hurry has calls analysed now that wait for another attempt.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completeCall } from '../../src/calls/statements.ts'
import { bringTo, readCall, storeCall } from '../support/calls.ts'
import { post } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database

/** A call that failed and is not due before tomorrow. */
async function failedCall(callId: string): Promise<number> {
  const id = await storeCall(pool, callId)
  await bringTo(pool, id, 'FAILED')
  await pool.query(
    `UPDATE calls SET due_at = clock_timestamp() + interval '1 day',
       completed_at = clock_timestamp() - interval '1 hour' WHERE id = $1`,
    [id],
  )
  return id
}

async function untilArchived(callId: string) {
  return await until(`${callId} is archived`, async () => {
    const call = await readCall(pool, callId)
    return call.status === 'ARCHIVED' && call
  })
}

test('a failed call is analysed at once, and once', async () => {
  await failedCall('failed')
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => post(`${gateway.url}/v1/call/failed/reprocess`)),
  )
  assert.ok(answers.some(({ status, body }) => status === 200 && body.queued === true))
  assert.ok(answers.every(({ status }) => status === 200 || status === 409))
  await untilArchived('failed')
  const { rows } = await pool.query(
    `SELECT FROM events WHERE call_id = 'failed' AND kind = 'result'`,
  )
  assert.equal(rows.length, 1)
  const { status, body } = await post(`${gateway.url}/v1/call/failed/reprocess`)
  assert.deepEqual([status, body.code], [409, 'transition_refused'])
  assert.match(String(body.detail), /has its result, in status ARCHIVED/)
})

test('a call that is unknown, or in progress, is not', async () => {
  await storeCall(pool, 'talks')
  const unknown = await post(`${gateway.url}/v1/call/nobody/reprocess`)
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'call_not_found'])
  const talks = await post(`${gateway.url}/v1/call/talks/reprocess`)
  assert.equal(talks.status, 409)
  assert.match(String(talks.body.detail), /in progress/)
})

test('of a call that was just completed the grace is not cut short', async () => {
  const id = await storeCall(pool, 'graceful')
  await completeCall(pool, 'graceful', 'endpoint', 3_600)
  const due = await dueOf(id)
  const { status } = await post(`${gateway.url}/v1/call/graceful/reprocess`)
  assert.equal(status, 200)
  assert.deepEqual(await dueOf(id), due)
})

async function dueOf(id: number): Promise<unknown> {
  return (await pool.query('SELECT due_at FROM calls WHERE id = $1', [id])).rows[0]
}

test('failed calls are analysed in bulk, the oldest first, as many as are asked for', async () => {
  const names = ['bulk-1', 'bulk-2', 'bulk-3']
  for (const name of names) await failedCall(name)
  await pool.query(`UPDATE calls SET completed_at = clock_timestamp() WHERE call_id = 'bulk-3'`)
  const before = new Date(Date.now() - 60_000).toISOString()
  const url = `${gateway.url}/v1/calls/reprocess`
  const first = await post(url, { completed_before: before, limit: 1 })
  assert.deepEqual([first.status, first.body], [200, { queued: 1 }])
  await untilArchived('bulk-1')
  assert.deepEqual((await post(url, { completed_before: before })).body, { queued: 1 })
  await untilArchived('bulk-2')
  assert.equal((await readCall(pool, 'bulk-3')).status, 'FAILED')
  assert.deepEqual((await post(url, {})).body, { queued: 1 })
  await untilArchived('bulk-3')
  assert.deepEqual((await post(url, {})).body, { queued: 0 })
})

test('what makes no sense is refused', async () => {
  const url = `${gateway.url}/v1/calls/reprocess`
  for (const body of [
    { limit: 0 },
    { limit: 1e9 },
    { completed_before: '2026-02-31T00:00:00Z' },
    7,
  ])
    assert.equal((await post(url, body)).status, 422, JSON.stringify(body))
})
