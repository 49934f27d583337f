// How a session of Genesys AudioHook ends: by its client, or by a violation of its protocol.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { genesys } from '../../../src/intake/protocols/genesys.ts'
import { audioHookClient, ids, offer, openParameters } from '../../support/audiohook-client.ts'
import {
  connectAudioHook as connect,
  openAudioHook as open,
  parametersOf,
} from '../../support/fake-audiohook.ts'
import { stopTime } from '../../support/fake-peer.ts'
import { fuzzProtocol } from '../../support/fuzz-protocol.ts'
import { seededFor } from '../../support/seed.ts'

const at = (position: string) => ({ position })

suite('close', () => {
  test('is answered; at the end of the conversation the call is over', () => {
    const { says, hears, sent, events } = open()
    says('close', { reason: 'end' })
    hears(3200)
    says('ping')
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['opened', 'closed'],
    )
    assert.deepEqual(events(), [['stopped', { reason: 'end' }]])
  })

  for (const reason of ['error', 'disconnect', 'reconnect'])
    test(`because of ${reason} leaves the call to another session`, () => {
      const { says, sent, events } = open()
      says('close', { reason })
      assert.equal(sent.at(-1)?.type, 'closed')
      assert.deepEqual(events(), [['note', 'closed', { reason }]])
    })

  test('is followed by the end of the connection, if need be by our side', () => {
    using time = stopTime()
    const [patient, gone] = [open(), open()]
    for (const { says } of [patient, gone]) says('close', { reason: 'end' })
    gone.receiver.closed?.()
    time.pass(9_999)
    assert.deepEqual(patient.events().length, 1)
    time.pass(1)
    assert.deepEqual(patient.events().at(-1), ['close', 'The session is closed'])
    assert.deepEqual(gone.events().length, 1)
  })
})

suite('a violation is answered with disconnect', () => {
  const envelope = {
    version: '2',
    id: ids.session,
    seq: 2,
    serverseq: 1,
    position: 'PT0S',
    parameters: {},
  }
  for (const [what, message, reason] of [
    ['a number left out', { ...envelope, type: 'ping', seq: 3 }, /^seq should be 2, but is 3$/],
    ['a number used twice', { ...envelope, type: 'ping', seq: 1 }, /^seq should be 2, but is 1$/],
    [
      'a number that was never sent',
      { ...envelope, type: 'ping', serverseq: 2 },
      /^serverseq should be at most 1/,
    ],
    ['another session', { ...envelope, type: 'ping', id: ids.participant }, /^id should be/],
    ['another version', { ...envelope, type: 'ping', version: '3' }, /^version: /],
    [
      'no position',
      { ...envelope, type: 'ping', position: undefined },
      /^position: Field required/,
    ],
    ['a position that is none', { ...envelope, type: 'ping', position: '12s' }, /^position: /],
    ['a position in years', { ...envelope, type: 'ping', position: 'PT31536000S' }, /^position: /],
    [
      'a second open',
      { ...envelope, type: 'open', parameters: openParameters() },
      /^open came twice$/,
    ],
    [
      'a reason that is none',
      { ...envelope, type: 'close', parameters: { reason: 'lunch' } },
      /^reason: /,
    ],
    [
      'resumed without its numbers',
      { ...envelope, type: 'resumed' },
      /^(start|discarded): Field required/,
    ],
    ['a key that is none', { ...envelope, type: 'dtmf', parameters: { digit: '12' } }, /^digit: /],
    ['no object', [], /JSON object/],
  ] as const)
    test(what, () => {
      const { receiver, sent, events } = open()
      receiver.text(JSON.stringify(message))
      const [, disconnect] = sent
      assert.equal(disconnect?.type, 'disconnect')
      const { reason: kind, info } = parametersOf(disconnect)
      assert.equal(kind, 'error')
      assert.match(String(info), reason)
      assert.deepEqual(events(), [['note', 'refused', { reason: info }]])
    })

  test('audio before open, in half samples, in a pause, or when only the connection was tried', () => {
    const early = connect({ 'audiohook-session-id': ids.session })
    const half = open()
    const paused = open()
    paused.says('paused')
    const tried = open({ conversationId: ids.none })
    for (const [{ hears, sent, audio }, reason] of [
      [early, /Audio came while the session was not open/],
      [half, /Audio should come in multiples of 2 bytes, but 161 came/],
      [paused, /Audio came while the session was paused/],
      [tried, /Audio came while the session was not open/],
    ] as const) {
      hears(161)
      assert.match(JSON.stringify(sent.at(-1)), reason)
      assert.equal(audio().length, 0)
    }
  })

  test('nothing counts after it but close, however it is numbered', () => {
    const { receiver, says, hears, sent, events } = open()
    receiver.text('{')
    hears(160)
    says('ping')
    receiver.text('{')
    receiver.text(JSON.stringify({ ...envelope, type: 'close', seq: 77 }))
    assert.deepEqual(
      sent.map(({ type, seq }) => [type, seq]),
      [
        ['opened', 1],
        ['disconnect', 2],
        ['closed', 3],
      ],
    )
    assert.deepEqual(
      events().map(([word, event]) => [word, event]),
      [
        ['note', 'refused'],
        ['note', 'closed'],
      ],
    )
  })

  test('a client that does not go is put out after 10 s', () => {
    using time = stopTime()
    const { receiver, events } = open()
    receiver.text('{')
    time.pass(9_999)
    assert.equal(events().length, 1)
    time.pass(1)
    assert.equal(events().at(-1)?.[0], 'close')
  })

  test('a message before open', () => {
    for (const type of ['paused', 'discarded', 'update']) {
      const { says, sent } = connect()
      says(type)
      assert.match(JSON.stringify(sent), new RegExp(`${type} came before open`))
    }
  })

  test('an offer of nothing that can be heard', () => {
    for (const media of [[], [offer('PCMU')], [offer('PCMU', 'external', 'external')], ['PCMU']])
      assert.match(JSON.stringify(open({ media }).sent), /media should offer audio/)
  })
})

test('a client that says nothing of AudioHook is cut off: there is no session to disconnect', () => {
  for (const hear of [
    (connection: ReturnType<typeof connect>) => connection.receiver.text('hello'),
    (connection: ReturnType<typeof connect>) => connection.hears(160),
  ]) {
    const connection = connect()
    assert.throws(() => hear(connection), ProtocolViolation)
    assert.deepEqual(connection.sent, [])
  }
})

test('the session is the one of the header', () => {
  const other = connect({ 'audiohook-session-id': ids.participant })
  other.says('open', openParameters())
  assert.match(JSON.stringify(other.sent), /id should be 883efee8/)
})

test('messages of any kind do no more than be refused', (t) => {
  const { heard, refused } = fuzzProtocol({
    protocol: genesys,
    random: seededFor(t),
    valid: () => {
      const { message } = audioHookClient()
      return [
        message('open', openParameters({ customConfig: { callId: 'ours' } })),
        Buffer.alloc(320, 0xff),
        message('ping', { rtt: 'PT0.05S' }, at('PT0.5S')),
        message('paused', {}, at('PT0.6S')),
        message('resumed', { start: 'PT0.6S', discarded: 'PT2S' }, at('PT2.6S')),
        message('discarded', { start: 'PT3S', discarded: 'PT1S' }, at('PT4S')),
        message('update', { language: 'de-DE' }, at('PT4S')),
        message('dtmf', { digit: '1' }, at('PT4S')),
        message('close', { reason: 'end' }, at('PT4S')),
      ]
    },
  })
  assert.ok(heard > 2_000 && refused > 200, `${heard} heard, ${refused} refused`)
})
