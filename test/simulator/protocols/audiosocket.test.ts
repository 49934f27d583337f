import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder, perfectPlan } from '../../../src/simulator/plan.ts'
import { audioSocketProtocol } from '../../../src/simulator/protocols/audiosocket.ts'
import { recordTcp, sequencesOf, testCall } from './recorder.ts'

const callId = '40325ec2-5efd-4bd3-805f-53576e581d13'
const silence = new Uint8Array(160).fill(0xff)
const url = 'http://127.0.0.1:1'

test('the bytes of the vector: UUID, audio, DTMF, hangup', async (t) => {
  const recorder = await recordTcp(t)
  const call = testCall(t, url, {
    callId,
    audioSocketPort: recorder.port,
    voices: { customer: silence, agent: silence },
    dtmf: [{ at: 0.01, digit: '5' }],
  })
  await audioSocketProtocol({ saysHangup: true }).play(call)
  const expected = [
    '010010 40325ec25efd4bd3805f53576e581d13',
    `100140 ${'00'.repeat(320)}`,
    '030001 35',
    '000000',
  ]
  assert.equal((await recorder.bytes).toString('hex'), expected.join('').replaceAll(' ', ''))
})

test('lost packets are not sent, and a current Asterisk closes without a word', async (t) => {
  const recorder = await recordTcp(t)
  const plans = [perfectPlan(5, [2, 3])]
  const call = testCall(t, url, { callId, audioSocketPort: recorder.port, plans })
  const tracks = await audioSocketProtocol().play(call)
  assert.deepEqual(sequencesOf(tracks), { mixed: [1, 4, 5] })
  assert.equal((await recorder.bytes).length, 19 + 3 * 323)
})

test('16 kHz has a type of its own and every other sample of 8 kHz', async (t) => {
  const recorders = [await recordTcp(t), await recordTcp(t)] as const
  const call = testCall(t, url, { callId })
  await audioSocketProtocol().play({ ...call, audioSocketPort: recorders[0].port })
  await audioSocketProtocol({ sampleRate: 16_000 }).play({
    ...call,
    audioSocketPort: recorders[1].port,
  })
  const [narrow, wide] = [await recorders[0].bytes, await recorders[1].bytes]
  assert.deepEqual([...wide.subarray(19, 22)], [0x12, 0x02, 0x80])
  for (let sample = 0; sample < 160; sample += 1)
    assert.equal(wide.readInt16LE(22 + sample * 4), narrow.readInt16LE(22 + sample * 2))
})

test('a call that is cut has no goodbye, and says what had left', async (t) => {
  const recorder = await recordTcp(t)
  const call = testCall(t, url, { callId, audioSocketPort: recorder.port, cutAt: 0.05 })
  const tracks = await audioSocketProtocol({ saysHangup: true }).play(call)
  assert.deepEqual(sequencesOf(tracks), { mixed: [1, 2, 3] })
  assert.ok(!(await recorder.bytes).subarray(-3).equals(Buffer.alloc(3)))
})

test('audio and silence of the gateway are taken, in pieces, too', async (t) => {
  const recorder = await recordTcp(t, (socket) => {
    const frames = Buffer.concat([Buffer.from([0x10, 0x01, 0x40]), Buffer.alloc(320)])
    for (const byte of frames) socket.write(Buffer.of(byte))
  })
  const call = testCall(t, url, { callId, audioSocketPort: recorder.port })
  assert.equal((await audioSocketProtocol().play(call)).length, 1)
})

test('what Asterisk does not accept ends the call', async (t) => {
  for (const [bytes, message] of [
    [[0x03, 0x00, 0x01, 0x35], /other than hangup or audio: type 3/],
    [[0x10, 0x00, 0x00], /without audio/],
    [[0x00, 0x00, 0x00], /ended the connection/],
  ] as const) {
    const recorder = await recordTcp(t, (socket) => socket.write(Buffer.from(bytes)))
    let heard = false
    const call = testCall(t, url, {
      callId,
      audioSocketPort: recorder.port,
      onMessage: () => {
        heard = true
      },
      clock: {
        now: () => 0,
        wait: async () => {
          while (!heard) await new Promise((resolve) => setImmediate(resolve))
          await new Promise((resolve) => setTimeout(resolve, 5))
        },
      },
    })
    await assert.rejects(audioSocketProtocol().play(call), message)
  }
})

test('a call id that is no UUID, and a port where nobody listens, are told', async (t) => {
  await assert.rejects(audioSocketProtocol().play(testCall(t, url)), /needs a UUID, not test-call/)
  const call = testCall(t, url, { callId, audioSocketPort: 1 })
  await assert.rejects(audioSocketProtocol().play(call), /127\.0\.0\.1:1: .*ECONNREFUSED/)
})

test('on a wire without numbers nothing overtakes and nothing comes twice', () => {
  const plan = { ...perfectPlan(3), duplicated: [1] }
  const packets = [
    { sequence: 2, at: 0.02 },
    { sequence: 1, at: 0.03 },
    { sequence: 3, at: 0.04 },
    { sequence: 1, at: 0.05 },
  ]
  assert.deepEqual(inOrder({ ...plan, packets }).packets, [
    { sequence: 1, at: 0.03 },
    { sequence: 2, at: 0.03 },
    { sequence: 3, at: 0.04 },
  ])
})
