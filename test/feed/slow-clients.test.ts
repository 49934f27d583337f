// Clients that do not read are given no more at a number of bytes, and are cut off soon after; clients that read
// are not, however much it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectDeaf } from '../support/deaf-client.ts'
import { assertNoHoles, connectFeed, type FeedClient } from '../support/feed-client.ts'
import { sendPacket } from '../support/gateway.ts'
import { callIds, eventsPerCall, storeResults } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway({ LOG_LEVEL: 'debug' })
const { url, log } = gateway

const cap = 2 ** 20
/** What may go beyond the cap: a batch of events, of which the last one goes beyond. */
const batchBytes = 2 ** 18
const resultBytes = 50_000
const text = 'x'.repeat(resultBytes)

/** What was logged of a client. */
function told(name: string, words: string) {
  return log.filter(({ msg, client_id }) => client_id === name && msg?.includes(words) === true)
}

const cutOff = (name: string) => told(name, 'reads too slowly')
const lags = (name: string) => told(name, 'no more until it has read').length > 0

async function connections(): Promise<number> {
  const response = await fetch(`${url}/ws/stats`)
  const { active_connections } = (await response.json()) as { active_connections: number }
  return active_connections
}

/** Lets a client read a megabyte, and then nothing for a while, and so on. */
function readSlowly({ socket }: FeedClient): void {
  let bytes = 0
  socket.on('message', (data: Buffer) => {
    bytes += data.length
    if (bytes < cap) return
    bytes = 0
    socket.pause()
    setTimeout(() => socket.resume(), 20)
  })
}

/** The position up to which the gateway has delivered, as it greets new clients with it. */
async function delivered(): Promise<number> {
  await using client = await connectFeed(url)
  return client.position()
}

/**
 * Lets calls with long transcripts happen, a megabyte at a time, until something is so; whoever reads has
 * everything before there is more. Returns how many events that were.
 */
async function talkUntil(name: string, so: () => boolean, reader: FeedClient): Promise<number> {
  const had = reader.events().length
  let events = 0
  for (let round = 0; !so(); round += 1) {
    // More than the buffers of any system hold for a connection.
    assert.ok(round < 80, `not within ${round} MB: ${name}`)
    const ids = callIds(`${name}-${round}`, 20)
    await storeResults(database.pool, ids, text)
    events += ids.length * eventsPerCall
    await reader.received(had + events)
  }
  return events
}

test('a client that stops reading is cut off at the cap, with a warning, and others get everything', async () => {
  await using reader = await connectFeed(url, '/ws/reader')
  const before = await connections()
  using deaf = await connectDeaf(url, 'deaf')
  assert.equal(await connections(), before + 1)

  const events = await talkUntil('deaf', () => lags('deaf'), reader)
  await until('it is cut off', () => cutOff('deaf').length > 0)
  await until('it is not counted any more', async () => (await connections()) === before)
  await storeResults(database.pool, callIds('deaf-end', 5), text)
  await reader.received(events + 5 * eventsPerCall)
  assertNoHoles(reader.events(), Number(reader.messages[0]?.position))
  assert.equal((await sendPacket(url, 'deaf-packet', 1)).status, 202)

  const [warning, ...more] = cutOff('deaf')
  assert.deepEqual(more, [], 'it is told once')
  assert.equal(warning?.level, 'warn')
  const unread = Number(warning?.buffered_bytes)
  assert.ok(unread > cap && unread < cap + batchBytes + 2 * resultBytes, `${unread} bytes`)
  assert.ok((await deaf.drain()) > 0)
  assert.equal(cutOff('reader').length, 0)
})

test('a client that was cut off resumes where it stopped reading', async () => {
  await using reader = await connectFeed(url, '/ws/reader')
  await using dozing = await connectFeed(url, '/ws/dozing')
  dozing.socket.pause()
  const start = dozing.position()
  await talkUntil('dozing', () => lags('dozing'), reader)
  await until('it is cut off', () => cutOff('dozing').length > 0)
  dozing.socket.resume()
  await dozing.closed
  const heard = dozing.events()
  assert.ok(heard.length < reader.events().length)

  await using again = await connectFeed(url, `/ws/dozing?after=${dozing.position()}`)
  const rest = await again.received(reader.events().length - heard.length)
  assertNoHoles([...heard, ...rest], start)
  assert.deepEqual([...heard, ...rest], reader.events())
})

test('a client that lags and reads again gets what it missed, and then what is new', async () => {
  await using reader = await connectFeed(url, '/ws/reader')
  await using napping = await connectFeed(url, '/ws/napping')
  napping.socket.pause()
  const events = await talkUntil('napping', () => lags('napping'), reader)
  napping.socket.resume()
  await napping.received(events)
  await sendPacket(url, 'napping-packet', 1)
  await napping.sees('napping-packet', 'IN_PROGRESS')
  await reader.sees('napping-packet', 'IN_PROGRESS')
  assert.deepEqual(napping.events(), reader.events())
  assert.deepEqual(cutOff('napping'), [])
})

test('a live burst of many megabytes cuts off nobody who reads, slowly or while it talks', async () => {
  await using slow = await connectFeed(url, '/ws/burst-slow')
  await using chatty = await connectFeed(url, '/ws/burst-chatty')
  const start = slow.position()
  readSlowly(slow)
  // Answers and events go the same way, and never into each other.
  const said = 'x'.repeat(200)
  chatty.socket.on('message', (data: Buffer) => {
    if (!data.includes('"pong"')) chatty.socket.send(said)
  })

  const calls = 200
  await storeResults(database.pool, callIds('burst', calls), 'z'.repeat(100_000))
  for (const client of [slow, chatty])
    assertNoHoles(await client.received(calls * eventsPerCall), start)
  const answers = chatty.messages.filter(({ type }) => type === 'pong')
  assert.ok(answers.length > calls)
  assert.ok(lags('burst-slow'), 'the burst was more than the cap')
  await sendPacket(url, 'burst-new', 1)
  for (const client of [slow, chatty]) await client.sees('burst-new', 'IN_PROGRESS')
  assert.deepEqual([...cutOff('burst-slow'), ...cutOff('burst-chatty')], [])
})

test('a client that talks and does not listen is cut off, too', async () => {
  await using reader = await connectFeed(url, '/ws/reader')
  await using chatty = await connectFeed(url, '/ws/chatty')
  chatty.socket.pause()
  const said = 'x'.repeat(60_000)
  await until('the answers are too many', async () => {
    for (let times = 0; times < 20; times += 1) chatty.socket.send(said)
    await until(
      'it is said',
      () => chatty.socket.bufferedAmount === 0 || cutOff('chatty').length > 0,
    )
    return cutOff('chatty').length > 0
  })
  chatty.socket.resume()
  await chatty.closed
  await sendPacket(url, 'chatty-packet', 1)
  await reader.sees('chatty-packet', 'IN_PROGRESS')
})

test('a client that catches up on many megabytes and reads is not cut off', async () => {
  const calls = 300
  const start = await delivered()
  // A page of the log is more than the cap, many times over.
  await storeResults(database.pool, callIds('history', calls), 'y'.repeat(100_000))
  await until('all of it is old', async () => {
    return (await delivered()) === start + calls * eventsPerCall
  })
  await using late = await connectFeed(url, '/ws/late?after=0')
  await using slow = await connectFeed(url, `/ws/slow?after=${start}`)
  readSlowly(slow)
  await sendPacket(url, 'history-new', 1)
  await late.sees('history-new', 'IN_PROGRESS')
  await slow.sees('history-new', 'IN_PROGRESS')
  assertNoHoles(late.events(), 0)
  assertNoHoles(slow.events(), start)
  assert.deepEqual(late.events().slice(start), slow.events())
  assert.deepEqual([...cutOff('late'), ...cutOff('slow')], [])
})
