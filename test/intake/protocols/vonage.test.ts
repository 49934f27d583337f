// Vonage, message by message.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { vonage } from '../../../src/intake/protocols/vonage.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { fuzzProtocol } from '../../support/fuzz-protocol.ts'
import { seededFor } from '../../support/seed.ts'

const connected = (more: object = {}) =>
  JSON.stringify({
    event: 'websocket:connected',
    'content-type': 'audio/l16;rate=16000',
    callId: 'call-1',
    ...more,
  })

function connect(more: object = {}) {
  const connection = connectFake(vonage)
  connection.receiver.text(connected(more))
  return connection
}

test('the first message says what the audio is; people see the headers of the application', () => {
  const connection = connect({ queue: 'sales', priority: 3 })
  connection.receiver.binary(Buffer.from('01000200', 'hex'))
  assert.deepEqual(connection.starts, [
    {
      callId: 'call-1',
      streamId: 'call-1',
      format: { encoding: 'L16', rate: 16_000 },
      channels: ['mixed'],
      loss: 'clock',
      metadata: { callId: 'call-1', queue: 'sales', priority: 3 },
    },
  ])
  assert.deepEqual(connection.said.slice(1), [['audio', '01000200']])
})

test('the rate is the one that is told', () => {
  for (const rate of [8_000, 16_000, 24_000]) {
    const { starts } = connect({ 'content-type': `audio/l16; rate=${rate}` })
    assert.equal(starts[0]?.format.rate, rate)
  }
})

test('the call and the track are those that the headers name', () => {
  for (const name of ['callId', 'call_id', 'uuid', 'conversation_uuid'])
    assert.equal(connect({ callId: undefined, [name]: 'CON-1' }).starts[0]?.callId, 'CON-1')
  assert.deepEqual(connect({ track: 'inbound' }).starts[0]?.channels, ['inbound'])
  const unnamed = connect({ callId: undefined })
  assert.match(unnamed.starts[0]?.callId ?? '', /^vonage-[0-9a-f-]{36}$/)
  assert.deepEqual(unnamed.said[1], ['note', 'assumed', { call_id: unnamed.starts[0]?.callId }])
})

test('keys are heard in both spellings; other events are nothing to us', () => {
  const connection = connect()
  for (const message of [
    { event: 'websocket:dtmf', digit: '5', duration: 260 },
    { event: 'websocket:dtmf', dtmf: { digit: '#' } },
    { event: 'websocket:cleared' },
    { event: 'websocket:notify', payload: { x: 1 } },
  ])
    connection.receiver.text(JSON.stringify(message))
  assert.deepEqual(connection.said.slice(1), [
    ['dtmf', '5', { duration: 260 }],
    ['dtmf', '#', {}],
  ])
})

test('audio before the first message is kept for it', () => {
  const connection = connectFake(vonage)
  connection.receiver.binary(Buffer.from('0100', 'hex'))
  connection.receiver.text(connected())
  assert.deepEqual(connection.said, [
    ['start', 'call-1'],
    ['audio', '0100'],
  ])
})

suite('refused is', () => {
  for (const [message, reason] of [
    ['hello', /^A message should be JSON/],
    [connected({ event: 'start' }), /^event: /],
    [connected({ 'content-type': 'audio/l16;rate=44100' }), /^content-type: /],
    [connected({ 'content-type': undefined }), /^content-type: Field required/],
    [connected({ callId: 'a b' }), /^callId should match/],
    [connected({ track: 'left' }), /^track should be one of/],
  ] as const)
    test(message.slice(0, 80), () => {
      const connection = connectFake(vonage)
      assert.throws(
        () => connection.receiver.text(message),
        (error) => error instanceof ProtocolViolation && reason.test(error.message),
      )
      assert.deepEqual(connection.said, [])
    })

  test('a key that is none', () => {
    for (const more of [{ digit: '12' }, {}, { dtmf: {} }])
      assert.throws(
        () => connect().receiver.text(JSON.stringify({ event: 'websocket:dtmf', ...more })),
        ProtocolViolation,
      )
  })
})

test('messages of any kind do no more than be refused', (t) => {
  const { heard, refused } = fuzzProtocol({
    protocol: vonage,
    random: seededFor(t),
    valid: () => [
      connected({ track: 'inbound' }),
      Buffer.alloc(640),
      JSON.stringify({ event: 'websocket:dtmf', digit: '5', duration: 260 }),
      JSON.stringify({ event: 'websocket:dtmf', dtmf: { digit: '5' } }),
      Buffer.alloc(640),
    ],
  })
  assert.ok(heard > 2_000 && refused > 200, `${heard} heard, ${refused} refused`)
})
