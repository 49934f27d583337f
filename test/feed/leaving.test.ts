// Clients that leave, in order or without a word, and a gateway that does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import WebSocket from 'ws'
import { createDatabase } from '../support/database.ts'
import { connectDeaf } from '../support/deaf-client.ts'
import { assertNoHoles, connectFeed, textsIn } from '../support/feed-client.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, eventsPerCall, storeResults } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

async function connections(): Promise<number> {
  const response = await fetch(`${url}/ws/stats`)
  assert.equal(response.status, 200)
  const { active_connections, timestamp } = (await response.json()) as Record<string, unknown>
  assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 60_000)
  return Number(active_connections)
}

const ways: readonly (readonly [way: string, leave: (socket: WebSocket) => void])[] = [
  ['goes in order', (socket) => socket.close(1000)],
  ['vanishes', (socket) => socket.terminate()],
  ['breaks the protocol', (socket) => socket.send(Buffer.from([0xc3, 0x28]), { binary: false })],
]

for (const [way, leave] of ways)
  test(`when one of two clients of a name ${way}, the other goes on and hears everything`, async () => {
    await until('no others', async () => (await connections()) === 0)
    await using staying = await connectFeed(url, '/ws/namesake')
    const leaving = await connectFeed(url, '/ws/namesake')
    assert.equal(await connections(), 2)
    const start = staying.position()
    await sendPacket(url, `first-${way.length}`, 1)
    await staying.sees(`first-${way.length}`, 'IN_PROGRESS')
    leave(leaving.socket)
    await leaving.closed
    await until('one is counted', async () => (await connections()) === 1)
    await sendPacket(url, `second-${way.length}`, 1)
    await completeCall(url, `second-${way.length}`)
    await staying.sees(`second-${way.length}`, 'ARCHIVED')
    assertNoHoles(staying.events(), start)
  })

test('after its close frame a gateway sends a client nothing more, however much happens', async () => {
  await using leaving = (await startFleet(database.url, 1)).at(0)
  // It does not answer the close frame, so its connection stays open for a while.
  const { hostname, port } = new URL(leaving.url)
  const connection = connect({ host: hostname, port: Number(port) })
  // It is cut in the end, since it does not answer.
  connection.on('error', () => {})
  connection.write(
    'GET /ws/polite HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  let heard = Buffer.of()
  connection.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
  })
  for (let round = 0; !connection.closed; round += 1) {
    await storeResults(database.pool, callIds(`closing-${round}`, 5), 'short')
    if (round < 10) await until('it is told', () => heard.includes(`closing-${round}-4`))
    if (round === 10) leaving.kill('SIGTERM')
  }
  const reason = 'the gateway restarts'
  const close = Buffer.from(
    `\x88${String.fromCharCode(2 + reason.length)}\x03\xf4${reason}`,
    'latin1',
  )
  assert.ok(heard.subarray(-close.length).equals(close), 'the close frame is the last')
  const texts = textsIn(heard.subarray(heard.indexOf('\r\n\r\n') + 4, -close.length))
  assert.ok(texts.length > 10 * 5 * eventsPerCall)
})

test('clients that leave while they catch up harm nobody', async () => {
  for (let call = 0; call < 20; call += 1) await sendPacket(url, `past-${call}`, call)
  await using staying = await connectFeed(url)
  await Promise.all(
    Array.from({ length: 30 }, async (_, number) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/hasty-${number}?after=0`)
      await once(socket, 'open')
      socket.terminate()
      await once(socket, 'close')
    }),
  )
  await until('one is counted', async () => (await connections()) === 1)
  await sendPacket(url, 'after-the-hasty', 1)
  await staying.sees('after-the-hasty', 'IN_PROGRESS')
})

test('at a shutdown every client is told to come back, and finds all events at another gateway', async () => {
  await using own = await createDatabase()
  await using gateways = await startFleet(own.url, 2)
  const leaving = gateways.at(0)
  await using named = await connectFeed(leaving.url, '/ws/desk')
  await using nameless = await connectFeed(leaving.url)
  await using returning = await connectFeed(leaving.url, '/ws/desk?after=0')
  // It does not answer, and must not hold up the others or the shutdown.
  using deaf = await connectDeaf(leaving.url, 'deaf')
  await sendPacket(leaving.url, 'before', 1)
  for (const client of [named, nameless, returning]) await client.sees('before', 'IN_PROGRESS')

  leaving.kill('SIGTERM')
  for (const client of [named, nameless, returning]) assert.equal(await client.closed, 1012)
  assert.equal(await leaving.exited, 0)
  await deaf.drain()

  const { url: other } = gateways.at(1)
  await completeCall(other, 'before')
  await using back = await connectFeed(other, `/ws/desk?after=${named.position()}`)
  await back.sees('before', 'ARCHIVED')
  assertNoHoles([...named.events(), ...back.events()], 0)
})

test('a gateway that shuts down as a client asks for the feed ends, and refuses or closes it', async () => {
  await using leaving = (await startFleet(database.url, 1)).at(0)
  const feed = `${leaving.url.replace('http', 'ws')}/ws`
  const ends = Array.from({ length: 40 }, (_, number) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const socket = new WebSocket(`${feed}/${number}?after=0`)
    socket.on('close', resolve)
    socket.on('error', () => {})
    return promise
  })
  leaving.kill('SIGTERM')
  assert.equal(await leaving.exited, 0)
  for (const code of await Promise.all(ends))
    assert.ok(code === 1012 || code === 1006, String(code))
})
