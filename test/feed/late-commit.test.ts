// Events of transactions that commit late. A reader of "id greater than the last" would lose them: their id is
// older than what was read meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bringTo, storeCall, transition } from '../support/calls.ts'
import { connect } from '../support/database.ts'
import { assertNoHoles, connectFeed, nameOf } from '../support/feed-client.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

test('an event of a transaction that is still open delays nobody, and comes after its commit', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  const slow = await storeCall(database.pool, 'slow')
  await client.sees('slow', 'IN_PROGRESS')

  await using session = await connect(database.url)
  await session.query('BEGIN')
  await transition(session, slow, 'COMPLETED')
  await sendPacket(url, 'quick', 1)
  await completeCall(url, 'quick')
  const archived = await client.sees('quick', 'ARCHIVED')
  assert.ok(
    !client.events().some((event) => event.call_id === 'slow' && event.status === 'COMPLETED'),
  )
  await session.query('COMMIT')

  const late = await client.sees('slow', 'COMPLETED')
  assert.ok(late.position > archived.position)
  const { rows } = await database.pool.query<{ call_id: string }>(
    `SELECT call_id FROM events WHERE call_id IN ('slow', 'quick') AND version > 1 ORDER BY id LIMIT 1`,
  )
  assert.equal(rows[0]?.call_id, 'slow', 'the late event is the older one')
  assertNoHoles(client.events(), start)
})

test('of a transaction that is rolled back nothing is told, and no position is lost', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  const call = await storeCall(database.pool, 'undone')
  await client.sees('undone', 'IN_PROGRESS')
  await using session = await connect(database.url)
  await session.query('BEGIN')
  await bringTo(session, call, 'FAILED')
  await session.query('ROLLBACK')
  await sendPacket(url, 'done', 1)
  await client.sees('done', 'IN_PROGRESS')
  assert.deepEqual(
    client
      .events()
      .filter(({ call_id }) => call_id === 'undone')
      .map(nameOf),
    ['IN_PROGRESS'],
  )
  assertNoHoles(client.events(), start)
})

test('while another publisher is in the midst of its work, events wait for it and none is lost', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  await using publisher = await connect(database.url)
  await publisher.query('BEGIN')
  // As a gateway that is paused between giving positions and its commit.
  await publisher.query('SELECT publish_events(100)')
  await sendPacket(url, 'waiting', 1)
  await until('the gateway waits for the other publisher', async () => {
    const { rows } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
         AND query LIKE '%publish_events%'`,
    )
    return rows.length > 0
  })
  await publisher.query('COMMIT')
  await client.sees('waiting', 'IN_PROGRESS')
  assertNoHoles(client.events(), start)
})

test('transactions that commit in the reverse order of their events are all delivered', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  const ids = ['a', 'b', 'c'].map((name) => `reverse-${name}`)
  const open: Awaited<ReturnType<typeof connect>>[] = []
  await using stack = new AsyncDisposableStack()
  for (const callId of ids) {
    const call = await storeCall(database.pool, callId)
    await client.sees(callId, 'IN_PROGRESS')
    const session = stack.use(await connect(database.url))
    await session.query('BEGIN')
    await transition(session, call, 'COMPLETED')
    open.push(session)
  }
  for (const [index, session] of [...open.entries()].reverse()) {
    await session.query('COMMIT')
    await client.sees(String(ids[index]), 'COMPLETED')
  }
  const completed = client.events().filter(({ status }) => status === 'COMPLETED')
  assert.deepEqual(
    completed.map(({ call_id }) => call_id),
    ids.toReversed(),
  )
  assertNoHoles(client.events(), start)
})
