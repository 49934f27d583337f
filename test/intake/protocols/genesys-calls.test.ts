// Whole conversations of Genesys AudioHook, with real speech and a real gateway.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { createPool } from '../../../src/database/pool.ts'
import { loadRecordings } from '../../../src/simulator/recordings.ts'
import { splitVoices } from '../../../src/simulator/voices.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import {
  audioHookClient,
  ids,
  offer,
  openParameters,
  signedHeaders,
} from '../../support/audiohook-client.ts'
import { startGateway } from '../../support/gateway.ts'
import { endedStreams, storedAudio, storedSilences } from '../../support/media-calls.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { startPrivatePostgres } from '../../support/private-postgres.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'

const apiKey = 'the-key-of-the-integration'
const secret = Buffer.from('the-secret-of-the-integration').toString('base64')
const { gateway, database } = await sharedGateway({
  GENESYS_API_KEY: apiKey,
  GENESYS_CLIENT_SECRET: secret,
  PUBLIC_URL: 'https://pbx.example.com',
})
const { pool } = database
const [recording] = await loadRecordings()
assert.ok(recording)
const { customer, agent } = splitVoices(recording)

/** Both voices in one, 200 ms a frame. */
const frameBytes = 3200
const frames = Array.from({ length: Math.floor(customer.length / 1600) }, (_, frame) => {
  const bytes = Buffer.alloc(frameBytes)
  for (let sample = 0; sample < 1600; sample += 1) {
    bytes[2 * sample] = customer[frame * 1600 + sample] ?? 0xff
    bytes[2 * sample + 1] = agent[frame * 1600 + sample] ?? 0xff
  }
  return bytes
})

/** The voice without some of its frames. */
function without(voice: Uint8Array, lost: readonly number[]): Buffer {
  return Buffer.concat(
    frames.flatMap((_, frame) =>
      lost.includes(frame) ? [] : [voice.subarray(frame * 1600, (frame + 1) * 1600)],
    ),
  )
}

const at = (frame: number) => ({ position: `PT${(frame * 200) / 1000}S` })

function signed(session: string, change: Partial<Parameters<typeof signedHeaders>[0]> = {}) {
  return signedHeaders({
    apiKey,
    secret,
    target: '/media/genesys',
    authority: 'pbx.example.com',
    created: Math.floor(Date.now() / 1_000),
    nonce: randomBytes(16).toString('base64'),
    session,
    ...change,
  })
}

/** Connects and opens a session of a conversation. */
async function openSession(conversationId: string, more: object = {}) {
  const session = crypto.randomUUID()
  const { message } = audioHookClient(session)
  const socket = await connectMedia(gateway.url, '/media/genesys', { headers: signed(session) })
  socket.send(message('open', openParameters({ conversationId, ...more })))
  await socket.hears('opened')
  return { socket, message, session }
}

test('a conversation is stored byte for byte, with its losses, its pauses and its keys', async () => {
  const conversationId = crypto.randomUUID()
  const { socket, message } = await openSession(conversationId)
  using client = socket
  const lost = [12, 13, 14, frames.length - 2, frames.length - 1]
  const paused = [20, 21]
  for (const [index, frame] of frames.entries()) {
    if (index === 5) client.send(message('dtmf', { digit: '3' }, at(5)))
    if (index === 20) client.send(message('paused', {}, at(20)))
    if (index === 22)
      client.send(message('resumed', { start: at(20).position, discarded: 'PT0.4S' }, at(22)))
    if (index % 7 === 1) client.send(message('ping', {}, at(index)))
    if (!lost.includes(index) && !paused.includes(index)) client.send(frame)
  }
  client.send(message('close', { reason: 'end' }, at(frames.length)))
  await client.hears('closed')
  const events = await endedStreams(pool, conversationId)
  const missing = [...lost, ...paused]
  assert.ok((await storedAudio(pool, conversationId, 'inbound')).equals(without(customer, missing)))
  assert.ok((await storedAudio(pool, conversationId, 'outbound')).equals(without(agent, missing)))
  const silences = [
    [13, 600, 'reported'],
    [18, 400, 'paused'],
    [frames.length - 6, 400, 'reported'],
  ]
  assert.deepEqual(
    (await storedSilences(pool, conversationId)).map((silence) => Object.values(silence)),
    ['inbound', 'outbound'].flatMap((track) => silences.map((silence) => [track, ...silence])),
  )
  assert.deepEqual(
    events.map(({ event }) => event).filter((event) => event !== 'no_audio'),
    ['stream_started', 'dtmf', 'paused', 'resumed', 'stream_ended'],
  )
  assert.equal(events.at(-1)?.by, 'stopped')
})

test('a session that continues another one continues its call', async () => {
  const conversationId = crypto.randomUUID()
  const half = Math.floor(frames.length / 2)
  const one = await openSession(conversationId)
  using first = one.socket
  for (const frame of frames.slice(0, half)) first.send(frame)
  first.send(one.message('close', { reason: 'reconnect' }, at(half)))
  await first.hears('closed')
  first.socket.close()
  await endedStreams(pool, conversationId)
  const continuedSessions = [{ id: one.session, serverseq: 2, clientseq: 2 }]
  const other = await openSession(conversationId, { continuedSessions })
  using second = other.socket
  for (const frame of frames.slice(half)) second.send(frame)
  second.send(other.message('close', { reason: 'end' }, at(frames.length - half)))
  await second.hears('closed')
  const events = await endedStreams(pool, conversationId, 2)
  assert.ok((await storedAudio(pool, conversationId, 'inbound')).equals(without(customer, [])))
  assert.deepEqual(
    events.filter(({ event }) => event === 'stream_ended').map(({ by }) => by),
    ['disconnected', 'stopped'],
  )
  assert.deepEqual(
    (await storedSilences(pool, conversationId)).map(({ cause }) => cause),
    ['reconnect', 'reconnect'],
  )
})

test('linear PCM of the agent alone is stored as such', async () => {
  const conversationId = crypto.randomUUID()
  const { socket, message } = await openSession(conversationId, {
    media: [offer('L16', 'internal')],
  })
  using client = socket
  client.send(Buffer.from('0102030405060708', 'hex'))
  client.send(message('close', { reason: 'end' }))
  await client.hears('closed')
  const [started] = await endedStreams(pool, conversationId)
  assert.equal(
    (await storedAudio(pool, conversationId, 'outbound')).toString('hex'),
    '0102030405060708',
  )
  assert.deepEqual(started?.format, { encoding: 'L16', rate: 8000, clock: 'arrival' })
})

suite('refused is', () => {
  for (const [what, change, reason] of [
    ['a signature over another host', { authority: 'evil.example.com' }, /PUBLIC_URL differs/],
    ['a signature made with another secret', { secret: 'AAAA' }, /does not fit/],
    ['another key', { apiKey: 'other' }, /X-API-KEY is not GENESYS_API_KEY/],
    ['an old signature', { created: 1_641_013_200 }, /too old/],
  ] as const)
    test(`${what}, before there is a WebSocket`, async () => {
      const headers = signed(crypto.randomUUID(), change)
      await assert.rejects(connectMedia(gateway.url, '/media/genesys', { headers }), (error) => {
        assert.match(String(error), /403/)
        assert.match(String(error), reason)
        return true
      })
    })

  test('a signature that was used before', async () => {
    const headers = signed(crypto.randomUUID())
    using _first = await connectMedia(gateway.url, '/media/genesys', { headers })
    await assert.rejects(connectMedia(gateway.url, '/media/genesys', { headers }), /used before/)
  })

  test('what breaks the protocol: the client is told to disconnect, closes, and the call goes on without it', async () => {
    const conversationId = crypto.randomUUID()
    const { socket, message } = await openSession(conversationId)
    using client = socket
    client.send(frames[0] ?? '')
    client.send(Buffer.alloc(3))
    const { parameters } = await client.hears('disconnect')
    assert.deepEqual(parameters, {
      reason: 'error',
      info: 'Audio should come in multiples of 2 bytes, but 3 came',
    })
    client.send(message('close', { reason: 'disconnect' }))
    await client.hears('closed')
    client.socket.close()
    const events = await endedStreams(pool, conversationId)
    assert.equal(events.find(({ event }) => event === 'refused')?.reason, parameters.info)
    assert.equal(events.at(-1)?.by, 'disconnected')
  })

  test('a client that speaks something else', async () => {
    using client = await connectMedia(gateway.url, '/media/genesys', {
      headers: { ...signed(ids.none) },
    })
    client.send('hello')
    const { code, reason } = await client.closed
    assert.equal(code, 1008)
    assert.match(reason, /should be JSON/)
  })
})

test('open is answered while the database stands still, and nothing that came then is lost', async () => {
  await using postgres = await startPrivatePostgres()
  const own = await startGateway(postgres.url)
  await using _own = own
  const conversationId = crypto.randomUUID()
  const { message } = audioHookClient()
  postgres.pause()
  using client = await connectMedia(own.url, '/media/genesys')
  client.send(message('open', openParameters({ conversationId })))
  await client.hears('opened')
  for (const frame of frames.slice(0, 40)) client.send(frame)
  client.send(message('ping', {}, at(40)))
  await client.hears('pong')
  postgres.resume()
  for (const frame of frames.slice(40)) client.send(frame)
  client.send(message('close', { reason: 'end' }, at(frames.length)))
  await client.hears('closed')
  const pool = createPool(postgres.url, 'test', 2, createLogger({ level: 'error', pretty: false }))
  try {
    await endedStreams(pool, conversationId)
    assert.ok((await storedAudio(pool, conversationId, 'inbound')).equals(without(customer, [])))
    assert.ok((await storedAudio(pool, conversationId, 'outbound')).equals(without(agent, [])))
  } finally {
    await pool.end()
  }
})
