import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { telnyx } from '../../../src/intake/protocols/telnyx.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { telnyxMessages as messages } from '../../support/json-media.ts'

function hear(texts: readonly (string | object)[], query = '') {
  const connection = connectFake(telnyx, { query })
  for (const text of texts)
    connection.receiver.text(typeof text === 'string' ? text : JSON.stringify(text))
  return connection
}

const formatOf = (encoding: string, sample_rate: unknown) =>
  hear([messages.start('s', { media_format: { encoding, sample_rate, channels: 1 } })]).starts[0]
    ?.format

suite('a call of Telnyx', () => {
  test('is what its messages say, to the byte', () => {
    const { starts, said } = hear([
      '{"event":"connected","version":"1.0.0"}',
      '{"event":"start","sequence_number":"1","stream_id":"S1","start":{"user_id":"U1","call_control_id":"v2:T02","call_session_id":"ff55a038-6f5d-11ef-9692-02420aeffb1f","from":"+13122010094","to":"+13122123456","tags":[],"client_state":"aGF2","custom_parameters":{"k":"v"},"media_format":{"encoding":"PCMU","sample_rate":8000,"channels":1}}}',
      '{"event":"media","sequence_number":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"no+J"},"stream_id":"S1"}',
      '{"event":"dtmf","stream_id":"S1","occurred_at":"2025-06-05T08:54:19.698408Z","sequence_number":"5","dtmf":{"digit":"1"}}',
      '{"event":"mark","stream_id":"S1","sequence_number":"5","mark":{"name":"m"}}',
      '{"event":"error","payload":{"code":100002,"title":"unknown_error","detail":"d"},"stream_id":"S1"}',
      '{"event":"stop","sequence_number":"5","stop":{"user_id":"U1","call_control_id":"v2:T02"},"stream_id":"S1"}',
    ])
    assert.deepEqual(starts, [
      {
        callId: 'ff55a038-6f5d-11ef-9692-02420aeffb1f',
        streamId: 'S1',
        format: { encoding: 'PCMU', rate: 8000 },
        channels: ['inbound', 'outbound'],
        loss: 'numbers',
        metadata: {
          call_control_id: 'v2:T02',
          call_session_id: 'ff55a038-6f5d-11ef-9692-02420aeffb1f',
          from: '+13122010094',
          to: '+13122123456',
          parameters: { k: 'v' },
        },
      },
    ])
    assert.deepEqual(said.slice(1), [
      ['packet', { track: 'inbound', number: 2, at: 0.005, payload: Buffer.of(0x9e, 0x8f, 0x89) }],
      ['dtmf', '1', {}],
      ['stopped'],
    ])
  })

  test('has the id of its leg when it has none of its own', () => {
    for (const none of [undefined, null, ''])
      assert.equal(
        hear([messages.start('x', { call_session_id: none })]).starts[0]?.callId,
        'v2:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ',
      )
  })

  test('is told of in the query of its URL too, and what is said there is not repeated to anybody', () => {
    const { starts } = hear([messages.start('x')], 'callId=mine&track=outbound&token=secret')
    assert.equal(starts[0]?.callId, 'mine')
    assert.deepEqual(starts[0]?.channels, ['outbound'])
    assert.doesNotMatch(JSON.stringify(starts), /secret/)
  })

  test('believes the parameters before the query', () => {
    const { starts } = hear(
      [messages.start('x', { custom_parameters: { call_id: 'from-parameters' } })],
      'callId=from-query',
    )
    assert.equal(starts[0]?.callId, 'from-parameters')
  })

  test('with a track of the operator takes the first voice that comes, and no other', () => {
    const packet = (track: 'inbound' | 'outbound') =>
      messages.media({ track, chunk: 1, payload: Buffer.of(1) })
    const { said, receiver } = hear([messages.start('x'), packet('outbound')], 'track=inbound')
    assert.deepEqual(said[1], [
      'packet',
      { track: 'inbound', number: 1, at: 0.02, payload: Buffer.of(1) },
    ])
    assert.throws(() => receiver.text(JSON.stringify(packet('inbound'))), {
      message: 'media.track should be one of outbound, but is "inbound"',
    })
  })
})

suite('the format of Telnyx', () => {
  for (const [encoding, rate, format] of [
    ['PCMU', 8000, { encoding: 'PCMU', rate: 8000 }],
    ['audio/x-mulaw', '8000', { encoding: 'PCMU', rate: 8000 }],
    ['PCMA', 8000, { encoding: 'PCMA', rate: 8000 }],
    ['G722', 8000, { encoding: 'G722', rate: 16_000 }],
    ['OPUS', 16_000, { encoding: 'OPUS', rate: 16_000 }],
    ['L16', 16_000, { encoding: 'L16', rate: 16_000 }],
  ] as const)
    test(`${encoding} at ${rate} is ${format.encoding} at ${format.rate}`, () =>
      assert.deepEqual(formatOf(encoding, rate), format))

  test('that cannot be kept is refused by name', () => {
    assert.throws(() => formatOf('AMR-WB', 16_000), {
      message: /^start\.media_format\.encoding: .*PCMU.*, but is "AMR-WB"$/,
    })
    assert.throws(() => formatOf('L16', 44), {
      message: /^start\.media_format\.sample_rate should be a whole number from 8000 /,
    })
  })
})

suite('samples of 16 bits', () => {
  const start = messages.start('x', {
    media_format: { encoding: 'L16', sample_rate: 16_000, channels: 1 },
  })
  const media = messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1, 2, 3, 4) })
  const packetOf = (query: string) => hear([start, media], query).said[1]
  const packet = (...bytes: number[]) => [
    'packet',
    { track: 'inbound', number: 1, at: 0.02, payload: Buffer.from(bytes) },
  ]

  test('are kept as they come, the low byte first', () => {
    assert.deepEqual(packetOf(''), packet(1, 2, 3, 4))
    assert.deepEqual(packetOf('byteOrder=little'), packet(1, 2, 3, 4))
  })

  test('are turned round where the operator says that the high byte is first', () => {
    assert.deepEqual(packetOf('byteOrder=big'), packet(2, 1, 4, 3))
    assert.deepEqual(packetOf('byte_order=big'), packet(2, 1, 4, 3))
  })

  test('come whole', () => {
    const odd = messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1, 2, 3) })
    assert.throws(() => hear([start, odd]), {
      name: 'ProtocolViolation',
      message: 'media.payload should be whole samples of 2 bytes, but has 3 bytes',
    })
  })

  test('have one of two orders', () =>
    assert.throws(() => hear([start], 'byteOrder=middle'), {
      message: 'byteOrder should be one of little, big, but is "middle"',
    }))
})
