import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { twilio } from '../../../src/intake/protocols/twilio.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { twilioMessages as messages } from '../../support/json-media.ts'

/** Texts as they come over the wire, and the words that they become. */
function hear(...texts: readonly (string | object)[]) {
  const connection = connectFake(twilio)
  for (const text of texts)
    connection.receiver.text(typeof text === 'string' ? text : JSON.stringify(text))
  return connection
}

suite('a call of Twilio', () => {
  test('is what its messages say, to the byte', () => {
    const { starts, said } = hear(
      '{"event":"connected","protocol":"Call","version":"1.0.0"}',
      '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound","outbound"],"customParameters":{"k":"v"},"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"streamSid":"MZ1"}',
      '{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"//8A"},"streamSid":"MZ1"}',
      '{"event":"media","sequenceNumber":"4","media":{"track":"outbound","chunk":"1","timestamp":"7","payload":"fw=="},"streamSid":"MZ1"}',
      '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}',
      '{"event":"mark","sequenceNumber":"6","streamSid":"MZ1","mark":{"name":"x"}}',
      '{"event":"stop","sequenceNumber":"7","stop":{"accountSid":"AC1","callSid":"CA1"},"streamSid":"MZ1"}',
    )
    assert.deepEqual(starts, [
      {
        callId: 'CA1',
        streamId: 'MZ1',
        format: { encoding: 'PCMU', rate: 8000 },
        channels: ['inbound', 'outbound'],
        loss: 'numbers',
        metadata: { callSid: 'CA1', accountSid: 'AC1', parameters: { k: 'v' } },
      },
    ])
    assert.deepEqual(said, [
      ['start', 'CA1'],
      ['packet', { track: 'inbound', number: 1, at: 0.005, payload: Buffer.of(0xff, 0xff, 0) }],
      ['packet', { track: 'outbound', number: 1, at: 0.007, payload: Buffer.of(0x7f) }],
      ['dtmf', '1', { track: 'inbound' }],
      ['stopped'],
    ])
  })

  test('of <Connect> has the caller alone', () => {
    const { starts } = hear(messages.start('CA1', { tracks: ['inbound'] }))
    assert.deepEqual(starts[0]?.channels, ['inbound'])
  })

  for (const name of ['callId', 'call_id'])
    test(`has the id that the parameter ${name} gives, and its own one is kept`, () => {
      const { starts } = hear(
        messages.start('CA1', { customParameters: { [name]: 'order-7', a: 'b' } }),
      )
      assert.equal(starts[0]?.callId, 'order-7')
      assert.deepEqual(starts[0]?.metadata, {
        callSid: 'CA1',
        accountSid: 'AC1',
        parameters: { a: 'b' },
      })
    })

  test('has its own id when the parameter is empty', () => {
    assert.equal(
      hear(messages.start('CA1', { customParameters: { callId: '' } })).starts[0]?.callId,
      'CA1',
    )
  })

  test('is on the track that the parameter track names, where one voice comes', () => {
    const { starts, said } = hear(
      messages.start('CA1', { tracks: ['inbound'], customParameters: { track: 'outbound' } }),
      messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(1) }),
    )
    assert.deepEqual(starts[0]?.channels, ['outbound'])
    assert.deepEqual(said[1], [
      'packet',
      { track: 'outbound', number: 1, at: 0.02, payload: Buffer.of(1) },
    ])
  })

  test('says nothing to Twilio, and hears nothing in events that it does not know', () => {
    const { said, sent } = hear(
      '{"event":"later"}',
      messages.start('CA1'),
      '{"event":"clear","streamSid":"MZ1"}',
      '{"event":"media2","media":7}',
    )
    assert.deepEqual(said, [['start', 'CA1']])
    assert.deepEqual(sent, [])
  })

  test('can be stored whatever characters its parameters have', () => {
    const text = JSON.stringify(messages.start('CA1')).replace(
      '"customParameters":{}',
      '"customParameters":{"a\\u0000":"\\u0000 \\ud800 \\ud83d\\ude00","b":["\\udfff"]}',
    )
    assert.deepEqual(hear(text).starts[0]?.metadata?.parameters, {
      'a\ufffd': '\ufffd \ufffd 😀',
      b: ['\ufffd'],
    })
  })
})

const media = (change: object) => ({
  event: 'media',
  media: { track: 'inbound', chunk: '1', timestamp: '5', payload: '//8A', ...change },
})

const violations: readonly (readonly [
  what: string,
  texts: readonly (string | object)[],
  reason: RegExp,
])[] = [
  ['what is no JSON', ['hello'], /^A message should be JSON, but is not at 0$/],
  ['nothing', [''], /^message: A JSON object is required$/],
  ['an array', ['[]'], /^message: /],
  ['no event', ['{}'], /^event: Field required$/],
  ['an event that is no text', ['{"event":1}'], /^event: .*, but is 1$/],
  ['media before the start', [media({})], /^event: media came before start$/],
  ['a key before the start', [messages.dtmf('1')], /^event: dtmf came before start$/],
  ['a stop before the start', [messages.stop('CA1')], /^event: stop came before start$/],
  ['a second start', [messages.start('CA1'), messages.start('CA2')], /^event: start came twice$/],
  ['a start without its content', ['{"event":"start"}'], /^start: Field required$/],
  ['no call', [messages.start('CA1', { callSid: undefined })], /^start\.callSid: Field required$/],
  ['a call that cannot be', [messages.start('/')], /^start\.callSid should match .*, but is "\/"$/],
  [
    'a call of the operator that cannot be',
    [messages.start('CA1', { customParameters: { callId: 'a b' } })],
    /^callId should match .*, but is "a b"$/,
  ],
  ['no track', [messages.start('CA1', { tracks: [] })], /^start\.tracks: /],
  [
    'another track',
    [messages.start('CA1', { tracks: ['both'] })],
    /^start\.tracks\.0: .*inbound, outbound, but is "both"$/,
  ],
  [
    'a track of the operator that cannot be',
    [messages.start('CA1', { tracks: ['inbound'], customParameters: { track: 'left' } })],
    /^track should be one of inbound, outbound, mixed, but is "left"$/,
  ],
  [
    'one track of the operator for two voices',
    [messages.start('CA1', { customParameters: { track: 'inbound' } })],
    /^track: one is named, but inbound and outbound come$/,
  ],
  [
    'another encoding',
    [messages.start('CA1', { mediaFormat: { encoding: 'opus', sampleRate: 8000, channels: 1 } })],
    /^start\.mediaFormat\.encoding: /,
  ],
  [
    'two channels',
    [
      messages.start('CA1', {
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 2 },
      }),
    ],
    /^start\.mediaFormat\.channels: .*, but is 2$/,
  ],
  ['a stream id with a NUL', [messages.start('CA1', {}, '\0')], /^start\.streamSid: /],
  [
    'a track that was not announced',
    [messages.start('CA1', { tracks: ['inbound'] }), media({ track: 'outbound' })],
    /^media\.track should be one of inbound, but is "outbound"$/,
  ],
  [
    'no chunk',
    [messages.start('CA1'), media({ chunk: undefined })],
    /^media\.chunk: Field required$/,
  ],
  [
    'a chunk that is none',
    [messages.start('CA1'), media({ chunk: 'x' })],
    /^media\.chunk should be a whole number .*, but is "x"$/,
  ],
  ['a chunk below 0', [messages.start('CA1'), media({ chunk: '-1' })], /^media\.chunk should be /],
  [
    'a chunk and a half',
    [messages.start('CA1'), media({ chunk: 1.5 })],
    /^media\.chunk should be .*, but is 1\.5$/,
  ],
  [
    'a chunk without end',
    [messages.start('CA1'), media({ chunk: '9'.repeat(400) })],
    /^media\.chunk should be /,
  ],
  [
    'a timestamp that is none',
    [messages.start('CA1'), media({ timestamp: null })],
    /^media\.timestamp should be .*, but is null$/,
  ],
  [
    'an empty payload',
    [messages.start('CA1'), media({ payload: '' })],
    /^media\.payload should be audio in base64, but is ""$/,
  ],
  [
    'a payload that is no base64',
    [messages.start('CA1'), media({ payload: '//8!' })],
    /^media\.payload should be audio in base64, but is "\/\/8!"$/,
  ],
  [
    'a payload that is no text',
    [messages.start('CA1'), media({ payload: 7 })],
    /^media\.payload: .*, but is 7$/,
  ],
  [
    'a key that is none',
    [messages.start('CA1'), messages.dtmf('12')],
    /^dtmf\.digit: .*, but is "12"$/,
  ],
]

suite('a violation is told by the field, what was expected and what came', () => {
  for (const [what, texts, reason] of violations)
    test(what, () => {
      assert.throws(
        () => hear(...texts),
        (error) => {
          assert.ok(error instanceof ProtocolViolation, String(error))
          assert.match(error.message, reason)
          return true
        },
      )
    })

  test('a binary message', () => {
    assert.throws(() => connectFake(twilio).receiver.binary(Buffer.of(1)), {
      name: 'ProtocolViolation',
      message: '/media/twilio takes no binary messages',
    })
  })
})
