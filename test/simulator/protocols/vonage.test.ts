import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vonageProtocol } from '../../../src/simulator/protocols/vonage.ts'
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

test('headers flat in the first text, then the mix in 640 bytes a message, keys between', async (t) => {
  const recorder = await recordWebSockets(t)
  const call = testCall(t, recorder.url, {
    parameters: { queue: 'sales' },
    dtmf: [{ at: 0.05, digit: '5' }],
  })
  const tracks = await vonageProtocol().play(call)
  assert.deepEqual(sequencesOf(tracks), { mixed: [1, 2, 3, 4, 5] })
  const socket = only(recorder)
  assert.equal(socket.path, '/media/vonage')
  assert.deepEqual(jsonOf(socket), [
    {
      event: 'websocket:connected',
      'content-type': 'audio/l16;rate=16000',
      callId: 'test-call',
      queue: 'sales',
    },
    { event: 'websocket:dtmf', digit: '5', duration: 260 },
  ])
  assert.ok(bytesOf(socket).every(({ length }) => length === 640))
  const format = { channels: 'mixed', sampleRate: 16_000 } as const
  assert.deepEqual(Buffer.concat(bytesOf(socket)), linearAudio(countingVoices(5), format))
})
