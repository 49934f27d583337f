// Asterisk's chan_websocket, message by message, and whole calls of it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { asterisk } from '../../../src/intake/protocols/asterisk.ts'
import { loadRecordings } from '../../../src/simulator/recordings.ts'
import { linearAudio, splitVoices } from '../../../src/simulator/voices.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { fuzzProtocol } from '../../support/fuzz-protocol.ts'
import { endedStreams, storedAudio } from '../../support/media-calls.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { seededFor } from '../../support/seed.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'

const plainStart =
  'MEDIA_START connection_id:d9a7 channel:WebSocket/pbx/0x7f01 channel_id:1763709610.7 format:ulaw optimal_frame_size:160 ptime:20'
const jsonStart = {
  event: 'MEDIA_START',
  connection_id: 'd9a7',
  channel: 'WebSocket/pbx/0x7f01',
  channel_id: '1763709610.7',
  format: 'slin16',
  optimal_frame_size: 640,
  ptime: 20,
  channel_variables: { callId: 'CALL-7', track: 'inbound', CDR: '1' },
}

function connected(query = '', ...texts: readonly string[]) {
  const connection = connectFake(asterisk, { query })
  for (const text of texts) connection.receiver.text(text)
  return connection
}

/** The call id, the tracks and the format that a stream was begun with. */
function startOf(query: string, text: string): unknown {
  const [start] = connected(query, text).starts
  assert.ok(start)
  const { callId, channels, format } = start
  return [callId, ...channels, format.encoding, format.rate]
}

suite('MEDIA_START', () => {
  test('in plain text begins the call under the id of the channel', () => {
    assert.deepEqual(startOf('', plainStart), ['1763709610.7', 'mixed', 'PCMU', 8_000])
  })

  test('of Asterisk 20.16, without that, begins it under the id of the connection', () => {
    const text =
      'MEDIA_START connection_id:d9a7 channel:WebSocket/pbx/1 format:alaw optimal_frame_size:160'
    assert.deepEqual(startOf('', text), ['d9a7', 'mixed', 'PCMA', 8_000])
  })

  test('in JSON has the call id and track of the channel’s variables', () => {
    const expected = ['CALL-7', 'inbound', 'L16', 16_000]
    assert.deepEqual(startOf('', JSON.stringify(jsonStart)), expected)
    assert.deepEqual(startOf('', JSON.stringify(jsonStart, null, 2)), expected)
  })

  test('has the call id and track of the URL, which win', () => {
    const query = 'call_id=CALL%2D8&track=outbound'
    assert.deepEqual(startOf(query, plainStart), ['CALL-8', 'outbound', 'PCMU', 8_000])
    assert.deepEqual(startOf('callId=CALL-9&track=mixed', JSON.stringify(jsonStart)), [
      'CALL-9',
      'mixed',
      'L16',
      16_000,
    ])
  })

  for (const [format, encoding, rate] of [
    ['slin', 'L16', 8_000],
    ['slin12', 'L16', 12_000],
    ['slin24', 'L16', 24_000],
    ['slin32', 'L16', 32_000],
    ['slin44', 'L16', 44_100],
    ['slin48', 'L16', 48_000],
    ['slin96', 'L16', 96_000],
    ['slin192', 'L16', 192_000],
    ['opus', 'OPUS', 48_000],
    ['g722', 'G722', 16_000],
  ] as const)
    test(`knows the format ${format}`, () => {
      assert.deepEqual(startOf('', plainStart.replace('ulaw', format)), [
        '1763709610.7',
        'mixed',
        encoding,
        rate,
      ])
    })
})

test('audio before MEDIA_START is kept and is the first of the stream', () => {
  const { receiver, said, sent } = connected()
  receiver.binary(Buffer.of(1, 2))
  receiver.text(plainStart)
  receiver.binary(Buffer.of(3, 4))
  assert.deepEqual(said, [
    ['start', '1763709610.7'],
    ['audio', '0102'],
    ['audio', '0304'],
  ])
  assert.deepEqual(sent, [], 'and nothing is said to Asterisk')
})

test('keys and errors are told, in plain text and in JSON; all else is passed over', () => {
  const id = 'channel_id:1763709610.7'
  const status = `STATUS ${id} queue_length:0 xon_level:800 xoff_level:900 queue_full:false`
  const texts = [
    plainStart,
    `DTMF_END digit:# ${id}`,
    'MEDIA_XOFF',
    'MEDIA_XON',
    'QUEUE_DRAINED',
    status,
    'MEDIA_BUFFERING_COMPLETED some id',
    'MEDIA_MARK_PROCESSED',
    'SOMETHING_NEW a:b',
    `ERROR ${id} error_text:it went: wrong`,
    JSON.stringify({ event: 'DTMF_END', channel_id: '1', digit: '5' }),
    JSON.stringify({ event: 'STATUS', queue_length: 0 }),
    JSON.stringify({ event: 'ERROR', channel_id: '1', error_text: 'again' }),
  ]
  assert.deepEqual(connected('', ...texts).said, [
    ['start', '1763709610.7'],
    ['dtmf', '#'],
    ['note', 'error', { text: 'it went: wrong' }],
    ['dtmf', '5'],
    ['note', 'error', { text: 'again' }],
  ])
})

suite('is refused, with the field, what was expected and what came:', () => {
  for (const [what, query, text, reason] of [
    ['text that is no event', '', 'hello', /should be an event of Asterisk, but is "hello"/],
    ['JSON that is none', '', '{"event":', /should be JSON/],
    ['JSON without an event', '', '{}', /^event: /],
    ['an unknown format', '', plainStart.replace('ulaw', 'g729'), /^format: .*g729/],
    ['no format', '', 'MEDIA_START connection_id:1', /^format: /],
    ['no connection', '', 'MEDIA_START format:ulaw', /^connection_id: /],
    ['an impossible call id', 'callId=a%20b', plainStart, /^callId should match .* "a b"/],
    ['an unknown track', 'track=left', plainStart, /^track should be one of .* "left"/],
    ['two keys at once', '', 'DTMF_END digit:12', /^digit: /],
  ] as const)
    test(what, () => {
      assert.throws(
        () => {
          const connection = connected(query)
          if (text.startsWith('DTMF')) connection.receiver.text(plainStart)
          connection.receiver.text(text)
        },
        (error) => error instanceof ProtocolViolation && reason.test(error.message),
      )
    })

  test('a second MEDIA_START', () => {
    assert.throws(() => connected('', plainStart, plainStart), /second MEDIA_START/)
  })
})

test('messages of any kind: heard or refused, nothing else', (t) => {
  const { heard, refused } = fuzzProtocol({
    protocol: asterisk,
    random: seededFor(t),
    valid: () => [
      Buffer.of(1, 2, 3, 4),
      plainStart,
      Buffer.alloc(160),
      'DTMF_END digit:5 channel_id:1',
      JSON.stringify({ event: 'DTMF_END', channel_id: '1', digit: '5' }),
      'ERROR channel_id:1 error_text:bad',
    ],
  })
  assert.ok(heard > 2_000 && refused > 200, `${heard} heard, ${refused} refused`)
})

test('two calls of real speech, as the two channels that a snoop makes, are one with both speakers', async () => {
  const { gateway, database } = await sharedGateway({ RECONNECT_GRACE_SECONDS: '0.2' })
  const { pool } = database
  const [recording] = await loadRecordings()
  assert.ok(recording)
  const voices = splitVoices(recording)
  const speech = {
    inbound: linearAudio(voices, { channels: 'customer', sampleRate: 16_000 }),
    outbound: linearAudio(voices, { channels: 'agent', sampleRate: 16_000 }),
  }
  using customer = await connectMedia(gateway.url, '/media/asterisk?callId=snoop-1&track=inbound', {
    subprotocol: 'media',
  })
  using agent = await connectMedia(gateway.url, '/media/asterisk', { subprotocol: 'media' })
  assert.equal(customer.socket.protocol, 'media')
  customer.send(plainStart.replace('ulaw', 'slin16'))
  agent.send(
    JSON.stringify({
      ...jsonStart,
      connection_id: 'other',
      channel_variables: { callId: 'snoop-1', track: 'outbound' },
    }),
  )
  for (let at = 0; at < speech.inbound.length; at += 640) {
    customer.send(speech.inbound.subarray(at, at + 640))
    agent.send(speech.outbound.subarray(at, at + 640))
  }
  customer.socket.close(1000)
  agent.socket.close(1000)
  await endedStreams(pool, 'snoop-1', 2)
  assert.ok((await storedAudio(pool, 'snoop-1', 'inbound')).equals(speech.inbound))
  assert.ok((await storedAudio(pool, 'snoop-1', 'outbound')).equals(speech.outbound))
  assert.deepEqual([...customer.heard, ...agent.heard], [])
})
