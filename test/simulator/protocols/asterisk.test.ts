import assert from 'node:assert/strict'
import { test } from 'node:test'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { asteriskProtocol } from '../../../src/simulator/protocols/asterisk.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import {
  bytesOf,
  jsonOf,
  type RecordedSocket,
  recordWebSockets,
  sequencesOf,
  testCall,
  type WebSocketRecorder,
} from './recorder.ts'

function bySpeaker({ sockets }: WebSocketRecorder): [RecordedSocket, RecordedSocket] {
  const [inbound, outbound] = ['inbound', 'outbound'].map((track) =>
    sockets.find(({ path }) => path.includes(`track=${track}`)),
  )
  assert.ok(inbound !== undefined && outbound !== undefined && sockets.length === 2)
  return [inbound, outbound]
}

test('a socket per speaker: subprotocol, MEDIA_START in plain text, 160 bytes of µ-law', async (t) => {
  const recorder = await recordWebSockets(t)
  const call = testCall(t, recorder.url, {
    plans: [perfectPlan(5, [2]), perfectPlan(5)],
    parameters: { queue: 'sales' },
    dtmf: [{ at: 0.05, digit: '5' }],
  })
  const tracks = await asteriskProtocol().play(call)
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 3, 4, 5], outbound: [1, 2, 3, 4, 5] })
  const [inbound, outbound] = bySpeaker(recorder)
  assert.equal(inbound.path, '/media/asterisk?queue=sales&callId=test-call&track=inbound')
  assert.equal(inbound.headers['sec-websocket-protocol'], 'media')
  assert.match(
    String(inbound.messages[0]),
    /^MEDIA_START connection_id:[0-9a-f-]{36} channel:\S+ channel_id:\d+\.1 format:ulaw optimal_frame_size:160 ptime:20$/,
  )
  assert.deepEqual(
    bytesOf(inbound),
    [1, 3, 4, 5].map((byte) => Buffer.alloc(160, byte)),
  )
  assert.deepEqual(
    bytesOf(outbound),
    [101, 102, 103, 104, 105].map((byte) => Buffer.alloc(160, byte)),
  )
  assert.match(String(inbound.messages[3]), /^DTMF_END digit:5 channel_id:\d+\.1$/)
  assert.equal(outbound.messages.filter((message) => typeof message === 'string').length, 1)
  assert.equal(await inbound.closed, 1000)
})

test('JSON control, 16 kHz, and audio before MEDIA_START', async (t) => {
  const recorder = await recordWebSockets(t)
  const options = { control: 'json', codec: 'slin16', packetsBeforeStart: 2 } as const
  await asteriskProtocol(options).play(testCall(t, recorder.url))
  const [inbound] = bySpeaker(recorder)
  assert.deepEqual(
    inbound.messages.map((message) => typeof message),
    ['object', 'object', 'string', 'object', 'object', 'object'],
  )
  const [{ connection_id: connectionId, channel, ...start } = {}] = jsonOf(inbound)
  assert.ok(typeof connectionId === 'string' && typeof channel === 'string')
  assert.deepEqual(start, {
    event: 'MEDIA_START',
    channel_id: '1763683200.1',
    format: 'slin16',
    optimal_frame_size: 640,
    ptime: 20,
    channel_variables: { callId: 'test-call', track: 'inbound' },
  })
  assert.ok(bytesOf(inbound).every(({ length }) => length === 640))
})

test('GET_STATUS is answered', async (t) => {
  const recorder = await recordWebSockets(t, { onOpen: (socket) => socket.send('GET_STATUS') })
  const clock = createVirtualClock()
  const isAnswered = () =>
    recorder.sockets.every(({ messages }) => messages.some((text) => /^STATUS /.test(`${text}`)))
  const wait = async (seconds: number, signal: AbortSignal) => {
    while (!isAnswered()) await new Promise((resolve) => setImmediate(resolve))
    await clock.wait(seconds, signal)
  }
  await asteriskProtocol().play(testCall(t, recorder.url, { clock: { ...clock, wait } }))
  const status = recorder.sockets[0]?.messages.find((text) => /^STATUS /.test(`${text}`))
  assert.match(
    String(status),
    /^STATUS channel_id:\S+ queue_length:0 xon_level:800 xoff_level:900 /,
  )
})

const refused: readonly (readonly [command: string, message: RegExp])[] = [
  ['get_status', /command get_status, which does not exist/],
  ['SET_MEDIA_DIRECTION', /SET_MEDIA_DIRECTION, which does not exist/],
  [`MARK_MEDIA ${'x'.repeat(120)}`, /more than 128 bytes/],
  ['HANGUP', /the gateway hung up/],
]

for (const [command, message] of refused)
  test(`${command.slice(0, 20)} ends both channels`, async (t) => {
    let isSaid = false
    const recorder = await recordWebSockets(t, {
      onOpen: (socket) => {
        if (!isSaid) socket.send(command)
        isSaid = true
      },
    })
    const { now } = createVirtualClock()
    const { promise: heard, resolve: onMessage } = Promise.withResolvers<unknown>()
    const wait = async (_: number, signal: AbortSignal) => {
      await heard
      await new Promise((resolve) => setTimeout(resolve, 5))
      signal.throwIfAborted()
    }
    const call = testCall(t, recorder.url, { clock: { now, wait }, onMessage })
    await assert.rejects(asteriskProtocol().play(call), message)
    for (const { closed } of recorder.sockets) assert.equal(await closed, 1006)
  })

test('a gateway that names no subprotocol is refused', async (t) => {
  const recorder = await recordWebSockets(t, { subprotocol: false })
  await assert.rejects(asteriskProtocol().play(testCall(t, recorder.url)), /subprotocol/)
})
