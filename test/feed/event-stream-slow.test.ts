// A client that does not read costs no memory: when it reads again it gets the newest event of every call, or the
// floor anew; those who read hear everything meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import { type EventStream, openStream } from '../support/event-stream.ts'
import { callIds, storeCalls } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const eventBytes = 50_000

/** Lets something happen on every call whose id begins so, a round after the other. */
async function happen(pool: Pool, prefix: string, round: number): Promise<void> {
  await pool.query(
    `SELECT note_media_event(id, jsonb_build_object('event', 'note', 'round', $2::int, 'text', $3::text))
     FROM calls WHERE call_id LIKE $1 || '%' ORDER BY id`,
    [prefix, round, 'x'.repeat(eventBytes)],
  )
  await pool.query('NOTIFY gateway_feed')
}

function notes(stream: EventStream, prefix: string) {
  return stream.named('call_event').filter(({ data }) => String(data.call_id).startsWith(prefix))
}

function bytesOf(stream: EventStream): number {
  return stream.all.reduce((sum, event) => sum + JSON.stringify(event).length, 0)
}

test('it gets the newest event of each call, told by conflated, and never what queued up', async () => {
  const [calls, rounds] = [20, 60]
  await storeCalls(database.pool, callIds('slow', calls))
  await using fast = await openStream(url)
  await using slow = await openStream(url)
  await until('both are there', () => slow.all.length > 0 && fast.all.length > 0)
  slow.response.pause()
  for (let round = 1; round <= rounds; round += 1) {
    await happen(database.pool, 'slow', round)
    await until(`round ${round}`, () => notes(fast, 'slow').length === round * calls)
  }
  assert.equal(fast.named('conflated').length, 0)
  assert.equal(fast.named('resync').length, 0)

  const ticks = fast.named('tick').length
  await until(
    'it has been slow for more than a second',
    () => fast.named('tick').length > ticks + 2,
  )
  slow.response.resume()
  const isNewest = () => {
    const newest = notes(slow, 'slow').slice(-calls)
    return newest.every(({ data }) => (data.data as { round: number }).round === rounds)
  }
  await until('the newest of all', () => notes(slow, 'slow').length >= calls && isNewest())
  const heard = notes(slow, 'slow')
  assert.ok(heard.length < rounds * calls, `${heard.length} of ${rounds * calls}`)
  assert.deepEqual(slow.named('resync'), [])
  const conflated = slow.named('conflated')
  assert.ok(conflated.length >= 1)
  assert.equal(conflated.at(-1)?.data.calls, calls)
  const ids = slow.events().map(({ id }) => Number(id))
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((one, other) => one - other),
  )
  const share = bytesOf(slow) / bytesOf(fast)
  assert.ok(share < 0.5, `it was given ${Math.round(share * 100)} % of what the others were`)

  await happen(database.pool, 'slow', rounds + 1)
  await until('it is live again', () =>
    notes(slow, 'slow').some(({ data }) => (data.data as { round: number }).round > rounds),
  )
})

test('when even the newest of each call is too much, it begins anew with a snapshot', async () => {
  const [calls, rounds] = [200, 4]
  await storeCalls(database.pool, callIds('many', calls))
  await using last = await openStream(url, `?call=many-${calls - 1}`)
  await using slow = await openStream(url)
  await until('both are there', () => slow.all.length > 0 && last.all.length > 0)
  slow.response.pause()
  for (let round = 1; round <= rounds; round += 1) {
    await happen(database.pool, 'many', round)
    await until(`round ${round}`, () => notes(last, 'many').length === round)
  }
  const ticks = last.named('tick').length
  await until(
    'it has been slow for more than a second',
    () => last.named('tick').length > ticks + 2,
  )
  slow.response.resume()
  const resync = await until('resync', () => slow.named('resync')[0])
  const snapshot = await until('a snapshot', () => slow.named('snapshot')[1])
  assert.equal(resync.data.position, snapshot.data.position)
  await happen(database.pool, 'many', rounds + 1)
  await until('it is live again', () =>
    notes(slow, 'many').some(({ data }) => (data.data as { round: number }).round > rounds),
  )
})
