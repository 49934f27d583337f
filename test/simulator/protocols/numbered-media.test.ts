import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { fonosterProtocol } from '../../../src/simulator/protocols/fonoster.ts'
import { plivoProtocol } from '../../../src/simulator/protocols/plivo.ts'
import { telnyxProtocol } from '../../../src/simulator/protocols/telnyx.ts'
import { jsonOf, only, recordWebSockets, sequencesOf, testCall } from './recorder.ts'

const payload = (byte: number) => Buffer.alloc(160, byte).toString('base64')
const disorder = {
  ...perfectPlan(3),
  duplicated: [1],
  packets: [
    { sequence: 2, at: 0.02 },
    { sequence: 1, at: 0.03 },
    { sequence: 3, at: 0.04 },
    { sequence: 1, at: 0.05 },
  ],
}

test('Telnyx: snake case, and packets out of order keep the numbers they were made with', async (t) => {
  const recorder = await recordWebSockets(t)
  const plans = [disorder, perfectPlan(3)]
  const call = testCall(t, recorder.url, { plans, streamId: 'stream-1' })
  const tracks = await telnyxProtocol.play({
    ...call,
    voices: {
      customer: call.voices.customer.subarray(0, 480),
      agent: call.voices.agent.subarray(0, 480),
    },
    dtmf: [{ at: 0.001, digit: '#' }],
  })
  assert.deepEqual(sequencesOf(tracks), { outbound: [1, 2, 3], inbound: [2, 1, 3, 1] })
  const socket = only(recorder)
  assert.equal(socket.path, '/media/telnyx')
  const [connected, start, ...others] = jsonOf(socket)
  assert.deepEqual(connected, { event: 'connected', version: '1.0.0' })
  assert.equal(start?.event, 'start')
  assert.equal(start?.sequence_number, '1')
  assert.equal(start?.stream_id, 'stream-1')
  assert.equal(start?.start?.call_session_id, 'test-call')
  assert.match(String(start?.start?.call_control_id), /^v3:/)
  assert.deepEqual(start?.start?.media_format, {
    encoding: 'PCMU',
    sample_rate: 8000,
    channels: 1,
  })
  const inbound = others.filter(({ media }) => media?.track === 'inbound')
  assert.deepEqual(inbound[0], {
    event: 'media',
    sequence_number: '5',
    media: { track: 'inbound', chunk: '2', timestamp: '20', payload: payload(2) },
    stream_id: 'stream-1',
  })
  assert.deepEqual(
    inbound.map(({ sequence_number, media }) => [sequence_number, media?.chunk]),
    [
      ['5', '2'],
      ['3', '1'],
      ['7', '3'],
      ['3', '1'],
    ],
  )
  assert.equal(others.find(({ event }) => event === 'dtmf')?.sequence_number, '2')
  assert.deepEqual([others.at(-1)?.event, others.at(-1)?.sequence_number], ['stop', '9'])
})

test('Plivo: timestamps are the time of day', async (t) => {
  const recorder = await recordWebSockets(t)
  const call = testCall(t, recorder.url, { streamId: 'stream-1', parameters: { queue: 'sales' } })
  const startedMs = call.clock.now() * 1000
  await plivoProtocol.play(call)
  const socket = only(recorder)
  assert.equal(socket.path, '/media/plivo')
  const [start, ...others] = jsonOf(socket)
  assert.equal(start?.event, 'start')
  assert.equal(start?.start?.streamId, 'stream-1')
  assert.equal(start?.start?.callId, 'test-call')
  assert.deepEqual(others[2], {
    event: 'media',
    sequenceNumber: '4',
    media: { track: 'inbound', chunk: '2', timestamp: String(startedMs + 20), payload: payload(2) },
    streamId: 'stream-1',
    extra_headers: 'queue=sales',
  })
  assert.equal(others.at(-1)?.event, 'stop')
})

test('Fonoster: the messages of Twilio, only the caller, and its own signature', async (t) => {
  const recorder = await recordWebSockets(t)
  const secrets = { fonosterSecret: 'secret', publicUrl: 'https://example.com' }
  const tracks = await fonosterProtocol.play(testCall(t, recorder.url, { secrets }))
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 2, 3, 4, 5] })
  const { path, headers, ...socket } = only(recorder)
  assert.equal(path, '/media/fonoster')
  const signed = `${headers['x-fonoster-timestamp']}.wss://example.com/media/fonoster`
  const signature = createHmac('sha256', 'secret').update(signed).digest('hex')
  assert.equal(headers['x-fonoster-signature'], signature)
  assert.equal(headers['x-fonoster-timestamp'], '1763683200')
  const messages = jsonOf({ path, headers, ...socket })
  assert.deepEqual(messages[1]?.start?.tracks, ['inbound'])
  assert.deepEqual(messages[1]?.start?.customParameters, { callId: 'test-call' })
  assert.deepEqual(
    messages.slice(2, -1).map(({ media, sequenceNumber }) => [sequenceNumber, media?.chunk]),
    ['1', '2', '3', '4', '5'].map((chunk) => [String(Number(chunk) + 1), chunk]),
  )
})
