// Two gateways on one database: whichever takes a call, both feeds tell all of it, once and in the same order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { assertNoHoles, connectFeed, nameOf } from '../support/feed-client.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, eventsPerCall } from '../support/results.ts'

test('both feeds deliver all events of calls on both gateways, once and in one order', async () => {
  const calls = 120
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, { AI_SERVICE_MAX_LATENCY: '0.1' })
  await using clients = new AsyncDisposableStack()
  const [one, two, another] = await Promise.all(
    [0, 1, 1].map(async (place) => clients.use(await connectFeed(gateways.at(place).url))),
  )
  assert.ok(one && two && another)

  await Promise.all(
    callIds('call', calls).map(async (callId, number) => {
      // Packets to both, and the completion to the other one than the first packet.
      for (const sequence of [1, 2, 3, 4]) {
        const { url } = gateways.at((number + sequence) % 2)
        assert.equal((await sendPacket(url, callId, sequence)).status, 202)
      }
      assert.equal((await completeCall(gateways.at(number % 2).url, callId)).status, 200)
    }),
  )

  const events = await one.received(calls * eventsPerCall)
  assertNoHoles(events, 0)
  assert.deepEqual(await two.received(calls * eventsPerCall), events)
  assert.deepEqual(await another.received(calls * eventsPerCall), events)
  const ofCalls = Map.groupBy(events, ({ call_id }) => String(call_id))
  assert.deepEqual([...ofCalls.keys()].toSorted(), callIds('call', calls).toSorted())
  for (const [callId, ofCall] of ofCalls)
    assert.deepEqual(
      ofCall.map(nameOf),
      ['IN_PROGRESS', 'COMPLETED', 'PROCESSING_AI', 'ai_result', 'ARCHIVED'],
      callId,
    )
  const { rows } = await database.pool.query<{ owners: number }>(
    'SELECT count(DISTINCT lease_owner) AS owners FROM attempts',
  )
  assert.equal(rows[0]?.owners, 2, 'both gateways analysed, so both wrote events')
})

test('the feed of a gateway goes on when the other, which wrote the events, is killed', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  await using client = await connectFeed(gateways.at(1).url)
  const ids = callIds('call', 20)
  await Promise.all(ids.map((callId) => sendPacket(gateways.at(0).url, callId, 1)))
  gateways.at(0).kill('SIGKILL')
  await gateways.at(0).exited
  await Promise.all(ids.map((callId) => completeCall(gateways.at(1).url, callId)))
  const events = await client.received(ids.length * eventsPerCall)
  assertNoHoles(events, 0)
  assert.equal(events.filter((event) => nameOf(event) === 'ARCHIVED').length, ids.length)
})
