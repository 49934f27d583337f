import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { plivo } from '../../../src/intake/protocols/plivo.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { plivoMessages as messages } from '../../support/json-media.ts'

function hear(...texts: readonly (string | object)[]) {
  const connection = connectFake(plivo)
  for (const text of texts)
    connection.receiver.text(typeof text === 'string' ? text : JSON.stringify(text))
  return connection
}

suite('a call of Plivo', () => {
  test('is what its messages say, to the byte', () => {
    const { starts, said } = hear(
      '{"event":"start","sequenceNumber":1,"start":{"callId":"12345678-1234-1234-1234-123456789abc","streamId":"87654321-4321-4321-4321-cba987654321","accountId":"MAXXXXXXXXXXXXXXXXXX","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"extra_headers":"userId=12345;sessionId=abc-xyz"}',
      '{"event":"media","sequenceNumber":42,"streamId":"87654321-4321-4321-4321-cba987654321","media":{"track":"inbound","timestamp":"1705312200000","chunk":41,"payload":"//uQ"},"extra_headers":"userId=12345"}',
      '{"event":"playedStream","streamId":"8","name":"x"}',
      '{"event":"dtmf","sequenceNumber":"43","streamId":"8","dtmf":{"track":"inbound","digit":"#"}}',
      '{"event":"stop","sequenceNumber":44,"streamId":"8"}',
    )
    assert.deepEqual(starts, [
      {
        callId: '12345678-1234-1234-1234-123456789abc',
        streamId: '87654321-4321-4321-4321-cba987654321',
        format: { encoding: 'PCMU', rate: 8000 },
        channels: ['inbound'],
        loss: 'numbers',
        metadata: {
          callId: '12345678-1234-1234-1234-123456789abc',
          accountId: 'MAXXXXXXXXXXXXXXXXXX',
          parameters: { userId: '12345', sessionId: 'abc-xyz' },
        },
      },
    ])
    assert.deepEqual(said.slice(1), [
      [
        'packet',
        { track: 'inbound', number: 41, at: 1_705_312_200, payload: Buffer.of(255, 251, 144) },
      ],
      ['dtmf', '#', { track: 'inbound' }],
      ['stopped'],
    ])
  })

  test('in the short form has both tracks and the format that is Plivo’s default', () => {
    const { starts, said } = hear(
      '{"event":"start","start":{"streamId":"S","accountId":"A","callId":"C"}}',
      '{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1","timestamp":"1705312200020","payload":"/w=="},"streamId":"S","extra_headers":{}}',
    )
    assert.deepEqual(starts[0]?.channels, ['inbound', 'outbound'])
    assert.deepEqual(starts[0]?.format, { encoding: 'PCMU', rate: 8000 })
    assert.deepEqual(said[1], [
      'packet',
      { track: 'inbound', number: 1, at: 1_705_312_200.02, payload: Buffer.of(255) },
    ])
  })

  for (const rate of [8_000, 16_000])
    test(`may be linear at ${rate}`, () => {
      const mediaFormat = { encoding: 'audio/x-l16', sampleRate: rate }
      const { starts } = hear(messages.start('C', { mediaFormat }))
      assert.deepEqual(starts[0]?.format, { encoding: 'L16', rate })
    })

  for (const [form, headers] of [
    ['with ;', 'callId=order-7;track=outbound;a=1'],
    ['with ,', 'callId=order-7,track=outbound,a=1'],
    ['with spaces', ' callId = order-7 ; track=outbound;;=;a=1;'],
    ['as an object', { callId: 'order-7', track: 'outbound', a: '1' }],
    ['as JSON in a text', '{"callId":"order-7","track":"outbound","a":"1"}'],
    ['as SIP headers', '{"X-PH-callId":"order-7","X-PH-track":"outbound","x-ph-a":"1"}'],
    ['in lower case', 'callid=order-7;track=outbound;a=1'],
  ] as const)
    test(`is told of by extraHeaders, ${form}`, () => {
      const { starts } = hear(messages.start('C', {}, headers))
      assert.equal(starts[0]?.callId, 'order-7')
      assert.deepEqual(starts[0]?.channels, ['outbound'])
      assert.deepEqual(starts[0]?.metadata?.parameters, { a: '1' })
    })

  for (const headers of [null, undefined, '', '{}', [], 7])
    test(`has no parameters where extraHeaders are ${JSON.stringify(headers)}`, () => {
      const { starts } = hear(messages.start('C', {}, headers))
      assert.equal(starts[0]?.callId, 'C')
      assert.deepEqual(starts[0]?.metadata?.parameters, {})
    })
})

suite('a violation names the field', () => {
  for (const [what, text, reason] of [
    ['no call', '{"event":"start","start":{"streamId":"S"}}', /^start\.callId: Field required$/],
    ['no stream', '{"event":"start","start":{"callId":"C"}}', /^start\.streamId: Field required$/],
    [
      'another rate of µ-law',
      messages.start('C', { mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 16_000 } }),
      /^start\.mediaFormat\.sampleRate should be a whole number from 8000 to 8000, but is 16000$/,
    ],
    [
      'another encoding',
      messages.start('C', { mediaFormat: { encoding: 'mp3', sampleRate: 8_000 } }),
      /^start\.mediaFormat\.encoding: .*, but is "mp3"$/,
    ],
    [
      'headers that begin as JSON',
      messages.start('C', {}, '{a=1}'),
      /^extra_headers should be JSON, but is not at 1$/,
    ],
  ] as const)
    test(what, () =>
      assert.throws(() => hear(text), { name: 'ProtocolViolation', message: reason }),
    )
})
