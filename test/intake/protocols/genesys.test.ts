// How a session of Genesys AudioHook is opened, and what is heard on it, message by message.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ids, offer, openParameters } from '../../support/audiohook-client.ts'
import {
  connectAudioHook as connect,
  openAudioHook as open,
  parametersOf,
} from '../../support/fake-audiohook.ts'

const at = (position: string) => ({ position })

suite('open', () => {
  test('is answered in the same moment, and begins the call', () => {
    const { sent, starts } = open({ language: 'en-US' })
    assert.deepEqual(sent, [
      {
        version: '2',
        id: ids.session,
        type: 'opened',
        seq: 1,
        clientseq: 1,
        parameters: { startPaused: false, media: [offer('PCMU', 'external', 'internal')] },
      },
    ])
    const { media, ...metadata } = openParameters({ language: 'en-US' })
    assert.deepEqual(starts, [
      {
        callId: ids.conversation,
        streamId: ids.session,
        format: { encoding: 'PCMU', rate: 8000 },
        channels: ['inbound', 'outbound'],
        loss: 'reported',
        metadata,
      },
    ])
  })

  for (const [offered, chosen, ...tracks] of [
    [[offer('PCMU', 'external'), offer('L16', 'external', 'internal')], 1, 'inbound', 'outbound'],
    [[offer('L16', 'internal', 'external')], 0, 'outbound', 'inbound'],
    [[offer('PCMU', 'internal'), offer('PCMU', 'external')], 0, 'outbound'],
    [[{ type: 'video' }, null, offer('PCMU', 'external')], 2, 'inbound'],
    [
      [{ ...offer('L16', 'external', 'internal'), rate: 16000 }, offer('L16', 'external')],
      1,
      'inbound',
    ],
  ] as const)
    test(`chooses ${tracks.join(' and ')} of what is on offer: ${JSON.stringify(offered).length}`, () => {
      const { sent, starts } = open({ media: offered })
      assert.deepEqual(sent[0]?.parameters, { startPaused: false, media: [offered[chosen]] })
      assert.deepEqual(starts[0]?.channels, tracks)
    })

  test('of a conversation that custom data give another name has that name', () => {
    for (const name of ['callId', 'call_id'])
      assert.equal(open({ customConfig: { [name]: 'ours' } }).starts[0]?.callId, 'ours')
  })

  test('of a session that continues another one names the same call', () => {
    const { starts } = open({
      continuedSessions: [{ id: ids.participant, serverseq: 3, clientseq: 9 }],
    })
    assert.equal(starts[0]?.callId, ids.conversation)
    assert.deepEqual(starts[0]?.metadata?.continuedSessions, [
      { id: ids.participant, serverseq: 3, clientseq: 9 },
    ])
  })

  test('of a client that only tries the connection is answered, and begins no call', () => {
    const { sent, said, says } = open({
      conversationId: ids.none,
      participant: { id: ids.none, ani: '', aniName: '', dnis: '' },
      supportedLanguages: true,
    })
    says('close', { reason: 'end' }, { serverseq: 1 })
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['opened', 'closed'],
    )
    assert.deepEqual(parametersOf(sent[0]).supportedLanguages, [])
    assert.deepEqual(said, [])
  })

  test('of another organization than the one that connected is unauthorized', () => {
    const { says, sent, said } = connect({ 'audiohook-organization-id': ids.participant })
    says('open', openParameters())
    assert.equal(sent[0]?.type, 'disconnect')
    assert.equal(parametersOf(sent[0]).reason, 'unauthorized')
    assert.deepEqual(said, [])
  })
})

suite('while a session is open', () => {
  test('pings are answered, and both sides number what they say', () => {
    const { says, sent } = open()
    says('ping', {}, { serverseq: 1 })
    says('ping', { rtt: 'PT0.05S' }, { serverseq: 2 })
    assert.deepEqual(
      sent.map(({ type, seq, clientseq }) => [type, seq, clientseq]),
      [
        ['opened', 1, 1],
        ['pong', 2, 2],
        ['pong', 3, 3],
      ],
    )
  })

  test('audio is heard byte for byte, in messages of any length', () => {
    const { receiver, audio } = open()
    receiver.binary(Buffer.from('0102', 'hex'))
    receiver.binary(Buffer.alloc(0))
    receiver.binary(Buffer.from('03040506', 'hex'))
    assert.equal(audio().toString('hex'), '010203040506')
  })

  test('what the client has passed and not sent is lost, in front of the next audio', () => {
    const { says, hears, said } = open()
    hears(3200)
    says('ping', {}, at('PT0.2S'))
    hears(3200)
    says('ping', {}, at('PT0.6S'))
    hears(3200)
    assert.deepEqual(
      said.slice(1).map(([word, ...args]) => (word === 'audio' ? [word] : [word, ...args])),
      [['audio'], ['audio'], ['missing', 200, 'reported'], ['audio']],
    )
  })

  test('what the client says that it has discarded is lost, with what is missing before it, once', () => {
    const { says, hears, events } = open()
    hears(3200)
    says('discarded', { start: 'PT0.3S', discarded: 'PT0.5S' }, at('PT0.8S'))
    says('ping', {}, at('PT0.8S'))
    hears(3200)
    assert.deepEqual(events(), [['missing', 600, 'reported']])
  })

  test('a pause is no loss, however it is told', () => {
    for (const during of [[], ['PT0.7S', 'PT0.9S']]) {
      const { says, hears, events } = open()
      hears(3200)
      says('paused', {}, at('PT0.2S'))
      for (const position of during) says('ping', {}, at(position))
      says('resumed', { start: 'PT0.2S', discarded: 'PT1S' }, at('PT1.2S'))
      hears(3200)
      says('ping', {}, at('PT1.4S'))
      hears(3200)
      const told = events()
      assert.deepEqual(
        told.filter(([word]) => word !== 'missing'),
        [['paused'], ['resumed']],
      )
      const missing = told.filter(([word]) => word === 'missing')
      const sum = missing.reduce((total, [, milliseconds]) => total + Number(milliseconds), 0)
      assert.equal(sum.toFixed(6), '1000.000000')
      assert.ok(missing.every(([, , cause]) => cause === 'paused'))
    }
  })

  test('keys, languages and errors of the client are events; messages of later versions are noted', () => {
    const { says, sent, events } = open()
    says('dtmf', { digit: '#' })
    says('update', { language: 'de-DE' })
    says('error', { code: 429, message: 'too much', retryAfter: 'PT1S' })
    says('playback_started')
    assert.deepEqual(events(), [
      ['dtmf', '#'],
      ['note', 'update', { language: 'de-DE' }],
      ['note', 'error', { code: 429, message: 'too much' }],
      ['note', 'unknown message', { type: 'playback_started' }],
    ])
    assert.equal(sent.at(-1)?.type, 'updated')
  })
})
