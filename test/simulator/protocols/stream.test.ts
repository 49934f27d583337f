import assert from 'node:assert/strict'
import { test } from 'node:test'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { streamProtocol } from '../../../src/simulator/protocols/stream.ts'
import { bytesOf, jsonOf, only, recordWebSockets, sequencesOf, testCall } from './recorder.ts'

test('binary packets of both tracks, and the call is complete when the gateway says so', async (t) => {
  const recorder = await recordWebSockets(t, {
    onMessage: (socket, message) => {
      if (typeof message === 'string') socket.send('{"type":"completed","call_id":"test-call"}')
      else socket.send('{"type":"ack"}')
    },
  })
  const plans = [perfectPlan(5, [2]), perfectPlan(5)]
  const tracks = await streamProtocol.play(testCall(t, recorder.url, { plans }))
  assert.deepEqual(sequencesOf(tracks), { inbound: [1, 3, 4, 5], outbound: [1, 2, 3, 4, 5] })
  const socket = only(recorder)
  assert.equal(socket.path, '/v1/call/stream/test-call?encoding=PCMU&rate=8000')
  const [first, second, third, fourth] = bytesOf(socket)
  assert.equal(
    first?.toString('hex'),
    `010100000000000000000001${'41da47eae0000000'}${'01'.repeat(160)}`,
  )
  assert.deepEqual(second?.subarray(0, 4), Buffer.from([1, 2, 0, 0]))
  assert.equal(third?.[1], 2)
  assert.equal(fourth?.readBigUInt64BE(4), 3n)
  assert.deepEqual(jsonOf(socket), [{ type: 'complete' }])
})

test('a refusal is told', async (t) => {
  const recorder = await recordWebSockets(t, {
    onMessage: (socket) => socket.send('{"type":"error","code":"call_sealed"}'),
  })
  await assert.rejects(streamProtocol.play(testCall(t, recorder.url)), /call_sealed/)
})
