// One connection of a PBX: signs of life, the end of its call, and what goes wrong in a protocol.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, suite, test } from 'node:test'
import WebSocket, { WebSocketServer } from 'ws'
import { MediaBudget } from '../../../src/intake/media/media-budget.ts'
import { MediaSocket } from '../../../src/intake/media/media-socket.ts'
import {
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type WebSocketProtocol,
} from '../../../src/intake/media/protocol.ts'
import { createLedger } from '../../../src/ledger/ledger.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createDatabase } from '../../support/database.ts'
import { endedStreams } from '../../support/media-calls.ts'
import { until } from '../../support/until.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const { pool } = stack.use(await createDatabase())
const logger = createLogger({ level: 'silent', pretty: false })
const ledger = createLedger({
  pool,
  packetTimeoutSeconds: 300,
  patienceSeconds: 5,
  logger,
  onCallsCreated: () => {},
})
stack.defer(ledger.close)
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
stack.defer(() => {
  for (const socket of server.clients) socket.terminate()
  server.close()
})

const parts = {
  ledger,
  record: {
    pool,
    packetTimeoutSeconds: 300,
    reconnectSeconds: 10,
    graceSeconds: 0,
    onEvents: () => {},
    onCompleted: () => {},
    logger,
  },
  budget: new MediaBudget(2 ** 24),
  clock: { wall: Date.now, steady: () => performance.now() },
  logger,
}

/** A protocol whose messages are `begin <call>` and `end`, and others that break it. */
function connect(peer: Peer): ReturnType<WebSocketProtocol['connect']> {
  if (peer.query.has('refused')) throw new ProtocolViolation('no such thing')
  let stream: MediaStream | undefined
  return {
    text: (text) => {
      const [word, callId = ''] = text.split(' ')
      if (word === 'begin')
        stream = peer.start({
          callId,
          streamId: 'S',
          format: { encoding: 'PCMU', rate: 8_000 },
          channels: ['mixed'],
          loss: 'clock',
        })
      else if (word === 'end') stream?.stopped()
      else if (word === 'long') throw new ProtocolViolation('ä'.repeat(100))
      else throw new TypeError('a defect')
    },
    binary: (bytes) => peer.send(`${bytes.length}`),
  }
}

/** A connection, both its ends. */
async function open({ query = '', autoPong = true } = {}) {
  const { port } = server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}/${query}`, { autoPong })
  const [socket, request] = (await once(server, 'connection')) as [WebSocket, { url: string }]
  const refusals: string[] = []
  const heard: string[] = []
  client.on('message', (data) => heard.push(String(data)))
  const { promise: closed, resolve } = Promise.withResolvers<readonly [number, string]>()
  client.on('close', (code, reason) => resolve([code, String(reason)]))
  const connection = new MediaSocket({
    parts,
    protocol: { name: 'test', longestBinary: 100_000, connect },
    socket,
    request: { url: request.url, headers: {} },
    onRefused: (_protocol, reason) => refusals.push(reason),
    onStarted: () => {},
    onOver: () => {},
  })
  if (client.readyState === client.CONNECTING) await once(client, 'open')
  return { client, connection, closed, refusals, heard }
}

suite('a check', () => {
  test('cuts off who does not answer the last one', async () => {
    const { connection, closed } = await open({ autoPong: false })
    connection.check()
    connection.check()
    assert.deepEqual(await closed, [1006, ''])
  })

  test('leaves alone who answers', async () => {
    const { client, connection } = await open()
    for (let round = 0; round < 3; round += 1) {
      const ping = once(client, 'ping')
      connection.check()
      await ping
      // The answer comes before what is said after it.
      client.send(Buffer.alloc(1))
      await once(client, 'message')
    }
    assert.equal(client.readyState, client.OPEN)
    client.terminate()
  })

  test('closes a connection whose call has been over since the last one, and none before', async () => {
    const { client, connection, closed } = await open()
    client.send('begin over')
    await until('its start', () => connection.hasStarted)
    connection.check()
    await once(client, 'ping')
    client.send('end')
    await endedStreams(pool, 'over')
    connection.check()
    await once(client, 'ping')
    client.send(Buffer.alloc(1))
    await once(client, 'message')
    connection.check()
    assert.deepEqual(await closed, [1000, 'The call is over'])
  })
})

suite('what a protocol throws', () => {
  test('while it connects is told too', async () => {
    const { closed, refusals } = await open({ query: '?refused' })
    assert.deepEqual(await closed, [1008, 'no such thing'])
    assert.deepEqual(refusals, ['no such thing'])
  })

  test('is cut to what a close frame holds, in whole characters', async () => {
    const { client, closed } = await open()
    client.send('long')
    assert.deepEqual(await closed, [1008, 'ä'.repeat(61)])
  })

  test('and is no violation is a defect of ours, of which nothing is told', async () => {
    const { client, closed } = await open()
    client.send('other')
    assert.deepEqual(await closed, [1011, 'Internal error'])
  })
})

test('a protocol may allow longer binary messages', async () => {
  const { client, closed, heard } = await open()
  client.send(Buffer.alloc(100_000))
  await until('the answer', () => heard[0] === '100000')
  client.send(Buffer.alloc(100_001))
  assert.deepEqual(await closed, [
    1009,
    'A message should have at most 100000 bytes, but has 100001',
  ])
})

test('a connection is refused once, and what it says then is not heard', async () => {
  const { client, connection, closed, refusals } = await open()
  client.send('begin too-late')
  connection.refuse('the first')
  connection.refuse('the second')
  assert.deepEqual(await closed, [1008, 'the first'])
  assert.deepEqual(refusals, ['the first'])
  assert.equal(connection.hasStarted, false)
})
