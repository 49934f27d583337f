// Whole calls of Twilio through a gateway: real speech, stored as it was sent.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { getCall } from '../../support/gateway.ts'
import { type Chunk, chunksOf, twilioMessages as messages } from '../../support/json-media.ts'
import { mediaEvents } from '../../support/media-calls.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'
import { storedPackets } from '../../support/stored-packets.ts'
import { trackAccount } from '../../support/track-account.ts'
import { until } from '../../support/until.ts'

// A stop completes a call without waiting for anything.
const { gateway, database } = await sharedGateway({ RECONNECT_GRACE_SECONDS: '3600' })
const { url } = gateway
const speech = (name: string) =>
  readFile(`${import.meta.dirname}/../../../assets/speech/${name}.ulaw`)
const customer = chunksOf('inbound', await speech('appointment'))
const agent = chunksOf('outbound', await speech('cancellation'))

/** What is stored of a track: sequence and payload. */
async function stored(callId: string, track: string): Promise<(readonly [number, Buffer])[]> {
  const packets = await storedPackets(database.pool, callId)
  return packets
    .filter((packet) => packet.track === track)
    .map(({ sequence, data }) => [sequence, data] as const)
}

const asStored = (chunks: readonly Chunk[], base = 0) =>
  chunks.map(({ chunk, payload }) => [base + chunk, Buffer.from(payload)] as const)

const completed = (callId: string) =>
  until(`${callId} is complete`, async () => {
    const { status, body } = await getCall(url, callId)
    return status === 200 && body.status !== 'IN_PROGRESS' && body
  })

const packetsOf = (callId: string, count: number) =>
  until(`${count} packets of ${callId}`, async () => {
    const { body } = await getCall(url, callId)
    return body.total_packets === count
  })

suite('a call', () => {
  test('is stored as it was spoken, both tracks, with what was lost missing and nothing else', async () => {
    const lost = new Set([1, 7, 8, 9, 500])
    const last = customer.length
    using client = await connectMedia(url, '/media/twilio')
    client.send(messages.start('spoken'))
    for (const [index, packet] of customer.entries()) {
      if (!lost.has(packet.chunk)) client.send(messages.media(packet))
      const other = agent[index]
      if (other !== undefined) client.send(messages.media(other))
      if (index === 99) client.send(messages.dtmf('5'))
      // Twice, and again much later.
      if (index === 200 || index === 300) client.send(messages.media(packet))
      if (index === 400 && customer[20] !== undefined) client.send(messages.media(customer[20]))
    }
    for (const rest of agent.slice(last)) client.send(messages.media(rest))
    client.send(messages.stop('spoken'))

    const call = await completed('spoken')
    const came = customer.filter(({ chunk }) => !lost.has(chunk))
    assert.deepEqual(await stored('spoken', 'inbound'), asStored(came))
    assert.deepEqual(await stored('spoken', 'outbound'), asStored(agent))
    assert.equal(call.missing_packets, '1,7,8,9,500')
    assert.equal(call.total_packets, came.length + agent.length)
    const { packets, duplicates, format } = await trackAccount(database.pool, 'spoken', 'inbound')
    assert.deepEqual([packets, duplicates], [came.length, 3])
    assert.deepEqual(format, { encoding: 'PCMU', rate: 8000, clock: 'sender' })
    const [first] = await storedPackets(database.pool, 'spoken')
    assert.equal(first?.timestamp, 0.02)
  })

  test('tells of its beginning, its keys (but no digit) and its end, in order', async () => {
    using client = await connectMedia(url, '/media/twilio')
    client.send(messages.start('told', { customParameters: { shop: 'north' } }))
    for (const digit of ['1', '#']) client.send(messages.dtmf(digit))
    client.send(messages.stop('told'))
    await completed('told')
    const events = await mediaEvents(database.pool, 'told')
    assert.deepEqual(
      events.map(({ event, digit, by }) => digit ?? by ?? event),
      ['stream_started', 'x', '#', 'stopped'],
    )
    assert.deepEqual(events[0]?.metadata, {
      callSid: 'told',
      accountSid: 'AC1',
      parameters: { shop: 'north' },
    })
  })

  test('has the id that its operator gave it', async () => {
    using client = await connectMedia(url, '/media/twilio')
    client.send(messages.start('CA-own', { customParameters: { callId: 'order-7' } }))
    client.send(messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1) }))
    await packetsOf('order-7', 1)
    assert.equal((await getCall(url, 'CA-own')).status, 404)
  })
})

suite('a call whose connection is cut', () => {
  test('goes on with the next stream of the same callSid, after a marked gap', async () => {
    const [before, after] = [customer.slice(0, 50), customer.slice(50, 90)]
    const client = await connectMedia(url, '/media/twilio')
    client.send(messages.start('cut', { tracks: ['inbound'] }, 'MZ1'))
    for (const packet of before) client.send(messages.media(packet))
    await packetsOf('cut', before.length)
    client.socket.terminate()
    await until('the end of the stream', async () =>
      (await mediaEvents(database.pool, 'cut')).some(({ by }) => by === 'disconnected'),
    )
    assert.equal((await getCall(url, 'cut')).body.status, 'IN_PROGRESS')

    using next = await connectMedia(url, '/media/twilio')
    next.send(messages.start('cut', { tracks: ['inbound'], streamSid: 'MZ2' }, 'MZ2'))
    const renumbered = after.map((packet) => ({ ...packet, chunk: packet.chunk - before.length }))
    for (const packet of renumbered) next.send(messages.media(packet))
    next.send(messages.stop('cut'))

    const call = await completed('cut')
    assert.equal(call.missing_packets, '')
    assert.deepEqual(await stored('cut', 'inbound'), asStored([...before, ...after]))
    const gaps = (await mediaEvents(database.pool, 'cut')).filter(
      ({ event }) => event === 'no_audio',
    )
    assert.deepEqual(
      gaps.map(({ track, cause, before_sequence }) => [track, cause, before_sequence]),
      [['inbound', 'reconnect', before.length + 1]],
    )
  })

  test('is complete by itself when nobody comes back within the grace', async () => {
    const { gateway: hasty, database: own } = await sharedGateway({
      RECONNECT_GRACE_SECONDS: '0.2',
    })
    const client = await connectMedia(hasty.url, '/media/twilio')
    client.send(messages.start('gone'))
    client.send(messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1) }))
    await until(
      'the packet',
      async () => (await getCall(hasty.url, 'gone')).body.total_packets === 1,
    )
    client.socket.terminate()
    await until(
      'its completion',
      async () => (await getCall(hasty.url, 'gone')).body.status === 'ARCHIVED',
    )
    assert.equal((await mediaEvents(own.pool, 'gone')).at(-1)?.by, 'disconnected')
  })
})
