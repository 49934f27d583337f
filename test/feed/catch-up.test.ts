// Clients that come back with ?after=<position>: they miss nothing and hear nothing twice, on any gateway.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import {
  assertNoHoles,
  connectFeed,
  type FeedClient,
  type FeedEvent,
} from '../support/feed-client.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, eventsPerCall, storeCalls, storeResults } from '../support/results.ts'
import { seededFor } from '../support/seed.ts'
import { until } from '../support/until.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const database = stack.use(await createDatabase())
const gateways = stack.use(await startFleet(database.url, 2))

/** The position of the newest event, once every event has one and every gateway has delivered it. */
async function settledHead(): Promise<number> {
  const head = await until('every event has a position', async () => {
    const { rows } = await database.pool.query<{ head: number; waiting: number }>(
      `SELECT count(*) FILTER (WHERE position IS NULL) AS waiting, coalesce(max(position), 0) AS head
       FROM events`,
    )
    return rows[0]?.waiting === 0 && { position: rows[0].head }
  })
  for (const url of gateways.urls())
    await until('the gateway is up to date', async () => {
      await using client = await connectFeed(url)
      return client.position() >= head.position
    })
  return head.position
}

test('a client gets exactly what came after its position, and then what is new', async () => {
  await storeCalls(database.pool, callIds('pages', 1_200))
  const head = await settledHead()
  // Around the borders of the pages in which the log is read.
  const positions = [0, 1, 2, 499, 500, 501, 999, 1_000, head - 501, head - 500, head - 1, head]
  await using clients = new AsyncDisposableStack()
  const returning = await Promise.all(
    positions.flatMap((position) =>
      gateways.urls().map(async (url) => ({
        position,
        client: clients.use(await connectFeed(url, `/ws/returning?after=${position}`)),
      })),
    ),
  )
  for (const { position, client } of returning)
    assert.equal(client.messages[0]?.position, position, 'the greeting says where it begins')
  await sendPacket(gateways.at(0).url, 'new', 1)
  for (const { position, client } of returning) {
    const events = await client.received(head + 1 - position)
    assertNoHoles(events, position)
    assert.equal(events.at(-1)?.call_id, 'new')
  }
})

test('without a position a client gets what is new, and nothing old', async () => {
  await storeCalls(database.pool, callIds('old', 20))
  const head = await settledHead()
  for (const url of gateways.urls()) {
    await using client = await connectFeed(url)
    const callId = `fresh-${gateways.urls().indexOf(url)}`
    await sendPacket(url, callId, 1)
    const event = await client.sees(callId, 'IN_PROGRESS')
    assert.ok(event.position > head)
    assertNoHoles(client.events(), Number(client.messages[0]?.position))
  }
})

test('a client that is cut off again and again, and changes gateways, hears everything once', async (t) => {
  const random = seededFor(t)
  const calls = 60
  const start = await settledHead()
  await using witness = await connectFeed(gateways.at(0).url)

  const playing = Promise.all(
    callIds('unsteady', calls).map(async (callId, number) => {
      const { url } = gateways.at(number % 2)
      for (let sequence = 1; sequence <= 5; sequence += 1) {
        const { status } = await sendPacket(url, callId, sequence)
        assert.equal(status, 202)
      }
      await completeCall(url, callId)
    }),
  )

  const heard: FeedEvent[] = []
  let connections = 0
  while (heard.length < calls * eventsPerCall) {
    const position = heard.at(-1)?.position ?? start
    const { url } = gateways.at(random() < 0.5 ? 0 : 1)
    const client = await connectFeed(url, `/ws/unsteady?after=${position}`)
    const missing = calls * eventsPerCall - heard.length
    await client.received(Math.min(missing, 1 + Math.floor(random() * 25)))
    await client.vanish()
    heard.push(...client.events())
    connections += 1
  }
  await playing
  t.diagnostic(`${connections} connections`)
  assertNoHoles(heard, start)
  assert.deepEqual(heard, await witness.received(calls * eventsPerCall))
})

test('a client that reads the past while calls go on misses nothing where both meet', async () => {
  // Long enough to read that much happens meanwhile.
  await storeResults(database.pool, callIds('past', 60), 'x'.repeat(100_000))
  const head = await settledHead()
  const calls = 40
  await using clients = new AsyncDisposableStack()
  const readers: FeedClient[] = []
  for (const [number, callId] of callIds('present', calls).entries()) {
    const { url } = gateways.at(number % 2)
    const [reader] = await Promise.all([
      connectFeed(url, `/ws/${callId}?after=${Math.max(0, head - 400)}`),
      sendPacket(url, callId, 1),
    ])
    readers.push(clients.use(reader))
    await completeCall(url, callId)
  }
  const last = head + calls * eventsPerCall
  for (const reader of readers) {
    await until('it has heard everything', () => reader.position() >= last)
    assertNoHoles(reader.events(), Math.max(0, head - 400))
  }
})

test('a gateway that was paused delivers nothing that its client had from another', async () => {
  await settledHead()
  await using first = await connectFeed(gateways.at(0).url)
  gateways.at(1).kill('SIGSTOP')
  try {
    await storeCalls(database.pool, callIds('meanwhile', 30))
    await first.received(30)
    const position = first.position()
    // The system takes the connection; the gateway answers it when it goes on.
    const connecting = connectFeed(gateways.at(1).url, `/ws?after=${position}`)
    gateways.at(1).kill('SIGCONT')
    await using client = await connecting
    await storeCalls(database.pool, callIds('afterwards', 30))
    assertNoHoles(await client.received(30), position)
    assert.deepEqual(client.events(), (await first.received(60)).slice(30))
  } finally {
    gateways.at(1).kill('SIGCONT')
  }
})

test('the text of results is the same for one who comes late', async () => {
  const position = await settledHead()
  const text = 'He said: “ja\u2028nein\u2029” \\ "quoted" 😀 \u0001'
  await using live = await connectFeed(gateways.at(0).url)
  await storeResults(database.pool, ['text'], text)
  const result = await live.sees('text', 'ai_result')
  assert.equal(result.transcription, text)
  await settledHead()
  await using late = await connectFeed(gateways.at(1).url, `/ws?after=${position}`)
  assert.deepEqual(await late.received(eventsPerCall), await live.received(eventsPerCall))
})
