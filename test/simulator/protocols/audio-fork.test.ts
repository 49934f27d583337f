import assert from 'node:assert/strict'
import { test } from 'node:test'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { freeSwitchProtocol } from '../../../src/simulator/protocols/freeswitch.ts'
import { jambonzProtocol } from '../../../src/simulator/protocols/jambonz.ts'
import { linearAudio } from '../../../src/simulator/voices.ts'
import {
  bytesOf,
  countingVoices,
  jsonOf,
  only,
  recordWebSockets,
  sequencesOf,
  testCall,
} from './recorder.ts'

const finish = {
  onMessage: (socket: { close: (code: number) => void }, message: string | Buffer) => {
    if (message.length === 0) socket.close(1000)
  },
}

test('FreeSWITCH: metadata first, then stereo in messages of any size, an empty one at the end', async (t) => {
  const recorder = await recordWebSockets(t, finish)
  const call = testCall(t, recorder.url, { parameters: { queue: 'sales' } })
  const tracks = await freeSwitchProtocol({ packetsPerMessage: [1, 3] }).play(call)
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 2, 3, 4, 5], outbound: [1, 2, 3, 4, 5] })
  const socket = only(recorder)
  assert.equal(socket.path, '/media/freeswitch')
  assert.equal(socket.headers['sec-websocket-protocol'], 'audio.drachtio.org')
  assert.equal(socket.headers['sec-websocket-extensions'], undefined)
  assert.deepEqual(jsonOf(socket), [
    { callId: 'test-call', sampleRate: 8000, mixType: 'stereo', queue: 'sales' },
  ])
  assert.equal(typeof socket.messages[0], 'string')
  assert.deepEqual(
    bytesOf(socket).map(({ length }) => length),
    [640, 1920, 640, 0],
  )
  const format = { channels: 'stereo', sampleRate: 8000 } as const
  assert.deepEqual(Buffer.concat(bytesOf(socket)), linearAudio(countingVoices(5), format))
})

test('FreeSWITCH: what is lost is lost on both channels and not sent', async (t) => {
  const recorder = await recordWebSockets(t, finish)
  const call = testCall(t, recorder.url, { plans: [perfectPlan(5, [2, 3])] })
  const tracks = await freeSwitchProtocol({ sampleRate: 16_000 }).play(call)
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 4, 5], outbound: [1, 4, 5] })
  assert.equal(Buffer.concat(bytesOf(only(recorder))).length, 3 * 1280)
})

test('mod_audio_stream names no subprotocol and offers to compress', async (t) => {
  const recorder = await recordWebSockets(t, finish)
  await freeSwitchProtocol({ module: 'audio_stream' }).play(testCall(t, recorder.url))
  const { headers } = only(recorder)
  assert.equal(headers['sec-websocket-protocol'], undefined)
  assert.match(String(headers['sec-websocket-extensions']), /^permessage-deflate/)
})

test('jambonz: its subprotocol, its metadata, its keys', async (t) => {
  const recorder = await recordWebSockets(t, finish)
  await jambonzProtocol().play(testCall(t, recorder.url, { dtmf: [{ at: 0.05, digit: '2' }] }))
  const socket = only(recorder)
  assert.equal(socket.path, '/media/jambonz')
  assert.equal(socket.headers['sec-websocket-protocol'], 'audio.jambonz.org')
  const [metadata, key] = jsonOf(socket)
  assert.equal(metadata?.callSid, 'test-call')
  assert.notEqual(metadata?.callId, 'test-call')
  assert.equal(metadata?.sampleRate, 8000)
  assert.equal(metadata?.mixType, 'stereo')
  assert.deepEqual(key, { event: 'dtmf', dtmf: '2', duration: '1600' })
  assert.ok(bytesOf(socket).every(({ length }) => length === 640 || length === 0))
})
