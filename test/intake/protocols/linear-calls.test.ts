// Whole calls of real speech by the wires that carry linear PCM: what is stored is what was sent, sample for sample.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { frameClock } from '../../support/frame-clock.ts'
import { messagesOf, speech } from '../../support/linear-speech.ts'
import { endedStreams, storedAudio, storedSilences } from '../../support/media-calls.ts'
import { serveMedia } from '../../support/media-server.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'
import { until } from '../../support/until.ts'

const { gateway, database } = await sharedGateway({ REDACTION: 'off' })
const { url } = gateway
const { pool } = database

async function assertStereo(callId: string, sampleRate = 8_000): Promise<void> {
  const stored = await Promise.all(
    ['inbound', 'outbound', 'mixed'].map((track) => storedAudio(pool, callId, track)),
  )
  const [inbound, outbound, mixed] = stored
  assert.ok(inbound?.equals(speech('customer', sampleRate)), 'the customer is on inbound')
  assert.ok(outbound?.equals(speech('agent', sampleRate)), 'the agent is on outbound')
  assert.equal(mixed?.length, 0)
}

async function statusOf(callId: string): Promise<string> {
  const { rows } = await pool.query('SELECT status FROM calls WHERE call_id = $1', [callId])
  return String(rows[0]?.status)
}

suite('FreeSWITCH', () => {
  const metadata = (callId: string) =>
    JSON.stringify({ callId, sampleRate: 16_000, mixType: 'stereo', queue: 'sales' })

  test('mod_audio_fork: a stereo call in messages of any size, with keys and a graceful end', async () => {
    using client = await connectMedia(url, '/media/freeswitch', {
      subprotocol: 'audio.drachtio.org',
    })
    assert.equal(client.socket.protocol, 'audio.drachtio.org')
    client.send(metadata('fork-1'))
    const messages = messagesOf(speech('stereo', 16_000))
    for (const [index, message] of messages.entries()) {
      if (index === 3) client.send({ event: 'dtmf', dtmf: '7', duration: '1600' })
      client.send(message)
    }
    client.send(Buffer.alloc(0))
    assert.deepEqual(await client.closed, { code: 1000, reason: 'The call is over' })
    const events = await endedStreams(pool, 'fork-1')
    await assertStereo('fork-1', 16_000)
    assert.deepEqual(
      events.map(({ event }) => event),
      ['stream_started', 'dtmf', 'stream_ended'],
    )
    assert.equal(events[1]?.digit, '7')
    assert.equal(events[2]?.by, 'stopped')
    assert.deepEqual(await storedSilences(pool, 'fork-1'), [])
    await until('it is analysed', async () => (await statusOf('fork-1')) === 'ARCHIVED')
  })

  test('mod_audio_stream: what the audio is stands in the URL, and compression is not agreed on', async () => {
    const path = '/media/freeswitch?callId=stream-1&rate=8k&mix=stereo'
    using client = await connectMedia(url, path, {
      headers: { 'sec-websocket-extensions': 'permessage-deflate' },
    })
    assert.equal(client.socket.extensions, '')
    for (const message of messagesOf(speech('stereo'))) client.send(message)
    client.send(Buffer.alloc(0))
    await endedStreams(pool, 'stream-1')
    await assertStereo('stream-1')
  })

  test('a call whose metadata come late, and a call that ends before they could', async () => {
    using late = await connectMedia(url, '/media/freeswitch')
    const messages = messagesOf(speech('stereo', 16_000))
    for (const message of messages.slice(0, 3)) late.send(message)
    late.send(metadata('late-1'))
    for (const message of messages.slice(3)) late.send(message)
    late.send(Buffer.alloc(0))
    await endedStreams(pool, 'late-1')
    await assertStereo('late-1', 16_000)

    using short = await connectMedia(url, '/media/freeswitch?uuid=short-1')
    short.send(Buffer.from('010002000300', 'hex'))
    short.socket.close()
    const events = await endedStreams(pool, 'short-1')
    assert.equal((await storedAudio(pool, 'short-1', 'inbound')).toString('hex'), '010002000300')
    assert.deepEqual(
      events.map(({ event, rate, mix }) => [event, rate, mix]),
      [
        ['stream_started', undefined, undefined],
        ['assumed', 8_000, 'mono'],
        ['stream_ended', undefined, undefined],
      ],
    )
  })

  test('a call that lost its connection goes on with the next one', async () => {
    const messages = messagesOf(speech('stereo', 16_000))
    const half = Math.floor(messages.length / 2)
    // A cut loses what is cut in two: so the halves are whole samples of both.
    const first = Buffer.concat(messages.slice(0, half))
    const cut = first.length - (first.length % 4)
    const whole = speech('stereo', 16_000)
    using one = await connectMedia(url, '/media/freeswitch')
    one.send(metadata('reconnect-1'))
    one.send(whole.subarray(0, cut))
    await until('the first half is stored', async () => {
      const stored = await storedAudio(pool, 'reconnect-1', 'outbound')
      return stored.length === cut / 2
    })
    one.socket.terminate()
    await endedStreams(pool, 'reconnect-1')
    using other = await connectMedia(url, '/media/freeswitch')
    other.send(metadata('reconnect-1'))
    for (const message of messagesOf(whole.subarray(cut))) other.send(message)
    other.send(Buffer.alloc(0))
    await endedStreams(pool, 'reconnect-1', 2)
    await assertStereo('reconnect-1', 16_000)
    // It sent more than the time holds that it was away: nothing of that is silence.
    assert.deepEqual(await storedSilences(pool, 'reconnect-1'), [])
  })

  test('audio that FreeSWITCH threw away is missing by the clock; what had piled up is not', async () => {
    // 20 ms; then 100 ms that had piled up; then 400 ms were thrown away.
    const messages = [
      ...Array.from({ length: 20 }, (_, index) => [20 * (index + 1), 20] as const),
      [500, 100],
      ...Array.from({ length: 45 }, (_, index) => [920 + 20 * index, 20] as const),
    ] as const
    await using server = await serveMedia(pool, frameClock(messages.map(([arrival]) => arrival)))
    const path = '/media/freeswitch?callId=gap-1&rate=8000&mix=mono'
    using client = await connectMedia(server.url, path)
    const audio = speech('customer')
    let at = 0
    for (const [, milliseconds] of messages) {
      client.send(audio.subarray(at, at + milliseconds * 16))
      at += milliseconds * 16
    }
    client.send(Buffer.alloc(0))
    await endedStreams(pool, 'gap-1')
    assert.deepEqual(await storedSilences(pool, 'gap-1'), [
      { track: 'inbound', before_sequence: 22, milliseconds: 400, cause: 'clock' },
    ])
    assert.ok((await storedAudio(pool, 'gap-1', 'inbound')).equals(audio.subarray(0, at)))
  })

  test('a client that breaks the protocol is told why, and disturbs no other call', async () => {
    using other = await connectMedia(url, '/media/freeswitch')
    other.send(metadata('undisturbed-1'))
    const messages = messagesOf(speech('stereo', 16_000))
    for (const message of messages.slice(0, 9)) other.send(message)
    for (const [path, message, code, reason] of [
      ['?rate=44100', Buffer.alloc(2), 1008, /^rate should be a multiple of 8000/],
      ['', JSON.stringify({ mixType: 'left' }), 1008, /^mix should be one of/],
      ['', 'x'.repeat(65 * 1024), 1009, /^A message should have at most 65536 bytes/],
      ['', Buffer.alloc(2 ** 20 + 2), 1009, /./],
    ] as const) {
      using client = await connectMedia(url, `/media/freeswitch${path}`)
      client.send(message)
      const closed = await client.closed
      assert.equal(closed.code, code)
      if (code !== 1009 || typeof message === 'string') assert.match(closed.reason, reason)
    }
    for (const message of messages.slice(9)) other.send(message)
    other.send(Buffer.alloc(0))
    await endedStreams(pool, 'undisturbed-1')
    await assertStereo('undisturbed-1', 16_000)
  })
})

suite('jambonz', () => {
  test('"record all calls": a stereo call, with its parent and its keys', async () => {
    using client = await connectMedia(url, '/media/jambonz/record/gateway', {
      subprotocol: 'audio.jambonz.org',
    })
    assert.equal(client.socket.protocol, 'audio.jambonz.org')
    client.send({
      sampleRate: 8_000,
      mixType: 'stereo',
      callSid: 'jambonz-1',
      parentCallSid: 'jambonz-0',
      direction: 'inbound',
      from: '+15550100',
      to: '+15550199',
      callId: 'sip-1@10.0.0.5',
      customerData: { name: 'Kim \0 \ud800' },
    })
    const messages = messagesOf(speech('stereo'))
    for (const message of messages) client.send(message)
    client.send({ event: 'dtmf', dtmf: '2', duration: '1600' })
    client.socket.close()
    const events = await endedStreams(pool, 'jambonz-1')
    await assertStereo('jambonz-1')
    assert.deepEqual(
      events.map(({ event }) => event),
      ['stream_started', 'dtmf', 'stream_ended'],
    )
    const metadata = events[0]?.metadata as Record<string, unknown>
    assert.equal(metadata.parentCallSid, 'jambonz-0')
    assert.equal(events[2]?.by, 'disconnected')
    assert.equal(await statusOf('jambonz-1'), 'IN_PROGRESS')
  })

  test('a stereo call of which the left is the agent', async () => {
    using client = await connectMedia(url, '/media/jambonz')
    client.send({ sampleRate: 8_000, mixType: 'stereo', callSid: 'jambonz-2', track: 'outbound' })
    client.send(speech('stereo'))
    client.send(Buffer.alloc(0))
    await endedStreams(pool, 'jambonz-2')
    assert.ok((await storedAudio(pool, 'jambonz-2', 'outbound')).equals(speech('customer')))
    assert.ok((await storedAudio(pool, 'jambonz-2', 'inbound')).equals(speech('agent')))
  })
})

suite('Vonage', () => {
  test('a call in 20 ms of both voices, with its keys', async () => {
    using client = await connectMedia(url, '/media/vonage')
    client.send({
      event: 'websocket:connected',
      'content-type': 'audio/l16;rate=16000',
      conversation_uuid: 'CON-vonage-1',
    })
    const audio = speech('mixed', 16_000)
    for (let at = 0; at < audio.length; at += 640) client.send(audio.subarray(at, at + 640))
    client.send({ event: 'websocket:dtmf', digit: '5', duration: 260 })
    client.socket.close()
    const events = await endedStreams(pool, 'CON-vonage-1')
    assert.ok((await storedAudio(pool, 'CON-vonage-1', 'mixed')).equals(audio))
    assert.deepEqual(
      events.map(({ event, digit }) => [event, digit]),
      [
        ['stream_started', undefined],
        ['dtmf', '5'],
        ['stream_ended', undefined],
      ],
    )
  })
})
