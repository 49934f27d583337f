// Whole calls of Twilio's kin through a gateway: each brings its packets in its own manner.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { fonosterHeaders } from '../../../src/simulator/signatures.ts'
import { completeCall, getCall } from '../../support/gateway.ts'
import {
  type Chunk,
  chunksOf,
  plivoMessages,
  telnyxMessages,
  twilioMessages,
} from '../../support/json-media.ts'
import { mediaEvents, storedAudio } from '../../support/media-calls.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { seededFor } from '../../support/seed.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'
import { storedPackets } from '../../support/stored-packets.ts'
import { trackAccount } from '../../support/track-account.ts'
import { until } from '../../support/until.ts'

const fonosterSecret = 's3cret'
const { gateway, database } = await sharedGateway({
  RECONNECT_GRACE_SECONDS: '0.2',
  FONOSTER_ACCESS_KEY_SECRET: fonosterSecret,
})
const { url } = gateway
const speech = (name: string) =>
  readFile(`${import.meta.dirname}/../../../assets/speech/${name}.ulaw`)
const customer = await speech('happy-upgrade')
const agent = await speech('late-delivery')

const completed = (callId: string) =>
  until(`${callId} is complete`, async () => {
    const { status, body } = await getCall(url, callId)
    return status === 200 && body.status !== 'IN_PROGRESS' && body
  })

suite('Telnyx', () => {
  test('may bring packets in any order, some twice: they are stored in the right one, once', async (t) => {
    const random = seededFor(t)
    const chunks = [...chunksOf('inbound', customer), ...chunksOf('outbound', agent)]
    // Each up to 200 ms from its place.
    const order = (packets: readonly Chunk[]) =>
      packets
        .map((packet) => ({ packet, at: packet.chunk + random() * 10 }))
        .sort((one, other) => one.at - other.at)
        .map(({ packet }) => packet)
    const twice = chunks.filter(() => random() < 0.02)
    using client = await connectMedia(url, '/media/telnyx')
    client.send(telnyxMessages.start('mixed-up'))
    for (const packet of order([...chunks, ...twice])) client.send(telnyxMessages.media(packet))
    client.send(telnyxMessages.stop())

    const call = await completed('mixed-up')
    assert.equal(call.missing_packets, '')
    assert.equal(call.total_packets, chunks.length)
    assert.ok((await storedAudio(database.pool, 'mixed-up', 'inbound')).equals(customer))
    assert.ok((await storedAudio(database.pool, 'mixed-up', 'outbound')).equals(agent))
    const accounts = await Promise.all(
      ['inbound', 'outbound'].map((track) => trackAccount(database.pool, 'mixed-up', track)),
    )
    assert.equal(
      accounts.reduce((sum, { duplicates }) => sum + duplicates, 0),
      twice.length,
    )
  })

  test('may send the two legs of a call on two connections: they join one call', async () => {
    const length = 16_000
    const seen = (word: string) =>
      until(`both: ${word}`, async () => {
        const events = await mediaEvents(database.pool, 'legs')
        return events.filter(({ event, by }) => (by ?? event) === word).length === 2
      })
    using caller = await connectMedia(url, '/media/telnyx?track=inbound')
    using callee = await connectMedia(url, '/media/telnyx?track=outbound')
    for (const client of [caller, callee]) client.send(telnyxMessages.start('legs'))
    await seen('stream_started')
    for (const [client, audio] of [
      [caller, customer],
      [callee, agent],
    ] as const) {
      for (const packet of chunksOf('inbound', audio.subarray(0, length)))
        client.send(telnyxMessages.media(packet))
      client.send(telnyxMessages.stop())
    }
    await seen('stopped')
    assert.ok(
      (await storedAudio(database.pool, 'legs', 'inbound')).equals(customer.subarray(0, length)),
    )
    assert.ok(
      (await storedAudio(database.pool, 'legs', 'outbound')).equals(agent.subarray(0, length)),
    )
  })
})

test('Plivo may close the connection without a word: the call is complete when the grace is over', async () => {
  const audio = customer.subarray(0, 32_000)
  using client = await connectMedia(url, '/media/plivo')
  client.send(plivoMessages.start('plivo-call'))
  for (const packet of chunksOf('inbound', audio)) client.send(plivoMessages.media(packet))
  client.socket.close(1000)
  await completed('plivo-call')
  assert.ok((await storedAudio(database.pool, 'plivo-call', 'inbound')).equals(audio))
  const [first, second] = await storedPackets(database.pool, 'plivo-call')
  assert.deepEqual([first?.timestamp, second?.timestamp], [1_705_312_200.02, 1_705_312_200.04])
})

test('Fonoster is let in by its signature, and its call is stored', async () => {
  const audio = customer.subarray(0, 16_000)
  const signed = `${url.replace('http', 'ws')}/media/fonoster`
  const app = { appRef: 'app-1', workspaceRef: 'WO1' }
  const headers = fonosterHeaders(fonosterSecret, signed, Math.floor(Date.now() / 1_000), app)
  using client = await connectMedia(url, '/media/fonoster', { headers })
  client.send(twilioMessages.start('fonoster-call', { tracks: ['inbound'] }))
  for (const packet of chunksOf('inbound', audio)) client.send(twilioMessages.media(packet))
  client.send(twilioMessages.stop('fonoster-call'))
  await completed('fonoster-call')
  assert.ok((await storedAudio(database.pool, 'fonoster-call', 'inbound')).equals(audio))
})

test('characters that no database keeps do not keep a call from being stored', async () => {
  using client = await connectMedia(url, '/media/telnyx')
  const start = JSON.stringify(telnyxMessages.start('odd', { custom_parameters: { name: '@' } }))
  client.send(start.replace('"@"', '"\\u0000\\ud800"'))
  client.send(telnyxMessages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1) }))
  client.send(telnyxMessages.stop())
  await completed('odd')
  assert.equal((await completeCall(url, 'odd')).body.total_packets, 1)
  const [started] = await mediaEvents(database.pool, 'odd')
  assert.match(JSON.stringify(started), /"parameters":\{"name":"\ufffd\ufffd"\}/)
})
