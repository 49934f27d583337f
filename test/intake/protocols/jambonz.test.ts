// jambonz, message by message.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { jambonz } from '../../../src/intake/protocols/jambonz.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { fuzzProtocol } from '../../support/fuzz-protocol.ts'
import { seededFor } from '../../support/seed.ts'

const said = {
  sampleRate: 8000,
  mixType: 'stereo',
  callSid: '2d5b3a1e-2f5f-4b55-9d0a-6f4f5f4f2a11',
  direction: 'inbound',
  from: '+15550100',
  to: '+15550199',
  callId: '1e3d5c0a-sip@10.0.0.5',
  sbcCallid: 'b0a1-sip@192.0.2.4',
  accountSid: '5b1f0f5e-2f0c-4f4e-8d2a-6f6d0c8e7a90',
}

function listen(more: object = {}) {
  const connection = connectFake(jambonz)
  connection.receiver.text(JSON.stringify({ ...said, ...more }))
  return connection
}

const callIdOf = (more: object) => listen(more).starts[0]?.callId
const channelsOf = (more: object) => listen(more).starts[0]?.channels

test('the metadata say what the audio is; people see all of them', () => {
  const { starts } = listen({ parentCallSid: 'parent', sampleRate: 24_000 })
  assert.deepEqual(starts, [
    {
      callId: said.callSid,
      streamId: said.callSid,
      format: { encoding: 'L16', rate: 24_000 },
      channels: ['inbound', 'outbound'],
      loss: 'clock',
      metadata: { ...said, parentCallSid: 'parent', sampleRate: 24_000 },
    },
  ])
})

test('the call is that of callSid, unless custom data name one; the Call-ID of SIP is not it', () => {
  assert.equal(callIdOf({}), said.callSid)
  assert.equal(callIdOf({ call_id: 'mine' }), 'mine')
  assert.equal(callIdOf({ customerData: { callId: 'ours' }, call_id: 'mine' }), 'ours')
  assert.equal(callIdOf({ customerData: { call_id: 'ours' } }), 'ours')
  assert.equal(callIdOf({ customerData: null }), said.callSid)
  assert.equal(callIdOf({ customerData: 'text' }), said.callSid)
})

test('left is the party on the leg: who called in, or who was called out to, is the customer', () => {
  assert.deepEqual(channelsOf({ direction: 'inbound' }), ['inbound', 'outbound'])
  assert.deepEqual(channelsOf({ direction: 'outbound' }), ['inbound', 'outbound'])
  assert.deepEqual(channelsOf({ mixType: 'mono', direction: 'outbound' }), ['inbound'])
  assert.deepEqual(channelsOf({ mixType: 'mixed' }), ['mixed'])
})

test("the metadata can say that the leg is the agent's", () => {
  assert.deepEqual(channelsOf({ track: 'outbound' }), ['outbound', 'inbound'])
  assert.deepEqual(channelsOf({ customerData: { track: 'outbound' } }), ['outbound', 'inbound'])
  assert.deepEqual(channelsOf({ mixType: 'mono', track: 'outbound' }), ['outbound'])
})

test('audio before the metadata is kept for them, however long they take', () => {
  const connection = connectFake(jambonz)
  connection.receiver.binary(Buffer.from('01000200', 'hex'))
  connection.receiver.text(JSON.stringify(said))
  connection.receiver.binary(Buffer.from('03000400', 'hex'))
  assert.deepEqual(connection.said.slice(1), [
    ['audio', '01000200'],
    ['audio', '03000400'],
  ])
})

test('keys are heard, other texts are notes, and an empty message is the end', () => {
  const connection = listen()
  connection.receiver.text('{"event":"dtmf","dtmf":"2","duration":"1600"}')
  connection.receiver.text('{"type":"playDone","data":{"id":"x"}}')
  connection.receiver.binary(Buffer.alloc(0))
  assert.deepEqual(connection.said.slice(1), [
    ['dtmf', '2', { duration: '1600' }],
    ['note', 'text', { text: '{"type":"playDone","data":{"id":"x"}}' }],
    ['stopped'],
    ['close', 'The call is over'],
  ])
})

suite('refused is', () => {
  for (const [message, reason] of [
    ['not JSON', /^A message should be JSON/],
    ['[]', /JSON object/],
    [JSON.stringify({ ...said, sampleRate: '8000' }), /^sampleRate: /],
    [JSON.stringify({ ...said, sampleRate: 44_100 }), /^sampleRate: /],
    [JSON.stringify({ ...said, mixType: undefined }), /^mixType: Field required/],
    [JSON.stringify({ ...said, callSid: 'a b' }), /^callSid should match/],
    [JSON.stringify({ ...said, customerData: { callId: '' } }), /^callId should match/],
    [JSON.stringify({ ...said, track: 'left' }), /^track should be one of/],
  ] as const)
    test(message.slice(0, 60), () => {
      const connection = connectFake(jambonz)
      assert.throws(
        () => connection.receiver.text(message),
        (error) => error instanceof ProtocolViolation && reason.test(error.message),
      )
      assert.deepEqual(connection.said, [])
    })

  test('audio that no metadata explain, before it takes more room', () => {
    const connection = connectFake(jambonz)
    connection.receiver.binary(Buffer.alloc(200_000))
    assert.throws(
      () => connection.receiver.binary(Buffer.alloc(56_000)),
      /Audio came, but no metadata before it/,
    )
    connection.receiver.closed?.()
    assert.deepEqual(connection.said, [])
  })
})

test('messages of any kind do no more than be refused', (t) => {
  const { heard, refused } = fuzzProtocol({
    protocol: jambonz,
    random: seededFor(t),
    valid: () => [
      JSON.stringify({ ...said, customerData: { callId: 'ours', track: 'inbound' } }),
      Buffer.alloc(320),
      '{"event":"dtmf","dtmf":"2","duration":"1600"}',
      Buffer.alloc(640),
    ],
  })
  assert.ok(heard > 2_000 && refused > 200, `${heard} heard, ${refused} refused`)
})
