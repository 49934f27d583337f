import assert from 'node:assert/strict'
import { test } from 'node:test'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { twilioProtocol } from '../../../src/simulator/protocols/twilio.ts'
import { afterTheEndOf, jsonOf, only, recordWebSockets, sequencesOf, testCall } from './recorder.ts'

const callId = 'CA0123456789abcdef0123456789abcdef'
const streamId = 'MZ0123456789abcdef0123456789abcdef'

test('connected, start, media of both tracks, stop: every field and every number', async (t) => {
  const recorder = await recordWebSockets(t)
  const call = testCall(t, recorder.url, {
    callId,
    streamId,
    parameters: { queue: 'sales' },
    dtmf: [{ at: 0.05, digit: '1' }],
  })
  const tracks = await twilioProtocol.play(call)
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 2, 3, 4, 5], outbound: [1, 2, 3, 4, 5] })

  const socket = only(recorder)
  assert.equal(socket.path, '/media/twilio')
  assert.equal(socket.headers['x-twilio-signature'], undefined)
  assert.equal(await socket.closed, 1000)
  const messages = jsonOf(socket)
  const [connected, start, first, second] = messages
  assert.deepEqual(connected, { event: 'connected', protocol: 'Call', version: '1.0.0' })
  const accountSid = String(start?.start?.accountSid)
  assert.match(accountSid, /^AC[0-9a-f]{32}$/)
  assert.deepEqual(start, {
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid,
      streamSid: streamId,
      callSid: callId,
      tracks: ['inbound', 'outbound'],
      customParameters: { queue: 'sales' },
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    },
    streamSid: streamId,
  })
  const payload = (byte: number) => Buffer.alloc(160, byte).toString('base64')
  assert.equal(payload(1).length, 216)
  assert.deepEqual(first, {
    event: 'media',
    sequenceNumber: '2',
    media: { track: 'inbound', chunk: '1', timestamp: '0', payload: payload(1) },
    streamSid: streamId,
  })
  assert.deepEqual(second, {
    event: 'media',
    sequenceNumber: '3',
    media: { track: 'outbound', chunk: '1', timestamp: '0', payload: payload(101) },
    streamSid: streamId,
  })
  assert.deepEqual(
    messages.slice(1).map((message) => message.sequenceNumber),
    Array.from({ length: 13 }, (_, index) => String(index + 1)),
  )
  assert.deepEqual(
    messages.find((message) => message.event === 'dtmf'),
    {
      event: 'dtmf',
      streamSid: streamId,
      sequenceNumber: '8',
      dtmf: { track: 'inbound_track', digit: '1' },
    },
  )
  assert.deepEqual(messages.at(-1), {
    event: 'stop',
    sequenceNumber: '13',
    stop: { accountSid, callSid: callId },
    streamSid: streamId,
  })
})

test('a lost packet takes its numbers with it; the tracks are lost apart', async (t) => {
  const recorder = await recordWebSockets(t)
  const plans = [perfectPlan(5, [2]), perfectPlan(5, [4, 5])]
  const tracks = await twilioProtocol.play(testCall(t, recorder.url, { plans }))
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 3, 4, 5], outbound: [1, 2, 3] })
  const media = jsonOf(only(recorder)).filter(({ event }) => event === 'media')
  assert.deepEqual(
    media.map(({ media, sequenceNumber }) =>
      [sequenceNumber, media?.track, media?.chunk, media?.timestamp].join(' '),
    ),
    [
      '2 inbound 1 0',
      '3 outbound 1 0',
      '5 outbound 2 20',
      '6 inbound 3 40',
      '7 outbound 3 40',
      '8 inbound 4 60',
      '10 inbound 5 80',
    ],
  )
})

test('any other call id goes as a parameter', async (t) => {
  const recorder = await recordWebSockets(t)
  await twilioProtocol.play(testCall(t, recorder.url))
  const { callSid, customParameters } = jsonOf(only(recorder))[1]?.start ?? {}
  assert.match(String(callSid), /^CA[0-9a-f]{32}$/)
  assert.deepEqual(customParameters, { callId: 'test-call' })
})

test('the upgrade is signed for the public URL, as in the vector', async (t) => {
  const recorder = await recordWebSockets(t)
  for (const publicUrl of ['https://example.com', 'wss://example.com/'])
    await twilioProtocol.play(
      testCall(t, recorder.url, { secrets: { twilioAuthToken: '12345', publicUrl } }),
    )
  for (const { headers } of recorder.sockets)
    assert.equal(headers['x-twilio-signature'], 'M4VdJ5pt+9kWsgwKulVbueuvHak=')
})

test('a cut has neither stop nor close; a second stream goes on with the numbers', async (t) => {
  const recorder = await recordWebSockets(t)
  await twilioProtocol.play(testCall(t, recorder.url, { cutAt: 0.03 }))
  await twilioProtocol.play(testCall(t, recorder.url, { firstNumber: 3 }))
  const [cut, resumed] = recorder.sockets
  assert.ok(cut !== undefined && resumed !== undefined)
  assert.equal(await cut.closed, 1006)
  assert.ok(!jsonOf(cut).some(({ event }) => event === 'stop'))
  const media = jsonOf(resumed).find(({ event }) => event === 'media')?.media ?? {}
  assert.deepEqual([media.chunk, media.timestamp], ['3', '40'])
})

test('messages of the caller are sent as they are, in their time', async (t) => {
  const recorder = await recordWebSockets(t)
  const extra = [
    { at: 0.03, message: 'no JSON' },
    { at: 0.05, message: Buffer.from([1, 2]) },
  ]
  await twilioProtocol.play(testCall(t, recorder.url, { extra }))
  const { messages } = only(recorder)
  assert.equal(messages[6], 'no JSON')
  assert.deepEqual(messages[9], Buffer.from([1, 2]))
})

test('a refused upgrade is told with its status and its text', async (t) => {
  const recorder = await recordWebSockets(t, { refuse: 403 })
  await assert.rejects(
    twilioProtocol.play(testCall(t, recorder.url)),
    /\/media\/twilio: refused with 403 signature/,
  )
})

test('a gateway that closes early, or says what Twilio does not know, is told', async (t) => {
  const closing = await recordWebSockets(t, { onOpen: (socket) => socket.close(1011, 'no room') })
  await assert.rejects(
    twilioProtocol.play(testCall(t, closing.url, { clock: afterTheEndOf(closing) })),
    /the gateway ended the connection: 1011 no room/,
  )
  const talking = await recordWebSockets(t, { onOpen: (socket) => socket.send('{"event":"ack"}') })
  await assert.rejects(
    twilioProtocol.play(testCall(t, talking.url, { clock: afterTheEndOf(talking) })),
    /the event ack, which does not exist/,
  )
})

test('an abort cuts the call', async (t) => {
  const recorder = await recordWebSockets(t)
  const abort = new AbortController()
  const onPacket = () => abort.abort(new Error('enough'))
  await assert.rejects(
    twilioProtocol.play(testCall(t, recorder.url, { onPacket, signal: abort.signal })),
    /enough/,
  )
  assert.equal(await only(recorder).closed, 1006)
})
