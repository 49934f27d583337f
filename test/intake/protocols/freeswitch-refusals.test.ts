// What FreeSWITCH may not say, and anything else that could come.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import { freeswitch } from '../../../src/intake/protocols/freeswitch.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { fuzzProtocol } from '../../support/fuzz-protocol.ts'
import { seededFor } from '../../support/seed.ts'

const metadata = (more: object = {}) =>
  JSON.stringify({ callId: 'call-1', sampleRate: 16000, mixType: 'stereo', ...more })

suite('refused is', () => {
  for (const [query, text, reason] of [
    ['rate=11025', '', /^rate should be a multiple of 8000 up to 64000, but is "11025"$/],
    ['rate=0', '', /^rate should be/],
    ['rate=72000', '', /^rate should be/],
    ['rate=fast', '', /^rate should be/],
    ['mix=surround', '', /^mix should be one of mono, mixed, stereo, but is "surround"$/],
    ['track=left', '', /^track should be one of/],
    ['mix=stereo&track=mixed', '', /^The track of a stereo stream is not mixed$/],
    ['callId=a%20b', '', /^callId should match/],
    ['callId=', '', /^callId should match/],
    ['', metadata({ sampleRate: 44100 }), /^sampleRate should be/],
    ['', metadata({ mixType: 'left' }), /^mix should be/],
    ['', metadata({ uuid: 'x', callId: 'history' }), /^callId should match/],
  ] as const)
    test(`${query}${text}, with its reason`, () => {
      assert.throws(
        () => connectFake(freeswitch, { query }).receiver.text(text),
        (error) => error instanceof ProtocolViolation && reason.test(error.message),
      )
    })
})

test('messages of any kind do no more than be refused', (t) => {
  const { heard, refused } = fuzzProtocol({
    protocol: freeswitch,
    random: seededFor(t),
    valid: () => [
      metadata(),
      Buffer.alloc(320),
      JSON.stringify({ event: 'dtmf', dtmf: '2', duration: '1600' }),
      Buffer.alloc(160),
      'any text',
      Buffer.alloc(0),
    ],
  })
  assert.ok(heard > 2_000 && refused > 20, `${heard} heard, ${refused} refused`)
})
