// The sentences of the timeline: one for every kind of entry, state, outcome, event and cause.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { viewEntry } from '../../src/calls/timeline.ts'
import { type EntryData, type EntryKind, entryKinds } from '../../src/calls/timeline-statements.ts'

const at = new Date('2026-11-21T09:00:00.000Z')
const next = '2026-11-21T10:00:05.123456+01:00'
const nextShown = '2026-11-21T09:00:05.123Z'

function textOf(kind: EntryKind, data: EntryData): string {
  return viewEntry({ at, kind, data }).text
}

const sentences: readonly (readonly [kind: EntryKind, data: EntryData, text: string])[] = [
  ['state', { status: 'IN_PROGRESS', previous_status: null }, 'The call began.'],
  [
    'state',
    { status: 'COMPLETED', previous_status: 'IN_PROGRESS', cause: 'endpoint' },
    'The call is over: somebody said so.',
  ],
  [
    'state',
    { status: 'COMPLETED', previous_status: 'IN_PROGRESS', cause: 'media_ended' },
    'The call is over: its media ended.',
  ],
  [
    'state',
    { status: 'COMPLETED', previous_status: 'IN_PROGRESS', cause: 'silence' },
    'The call is over: no packet came for too long.',
  ],
  ['state', { status: 'COMPLETED', previous_status: 'IN_PROGRESS' }, 'The call is over.'],
  [
    'state',
    { status: 'COMPLETED', previous_status: 'PROCESSING_AI' },
    'The call is analysed, and rests before it is archived.',
  ],
  [
    'state',
    { status: 'PROCESSING_AI', previous_status: 'COMPLETED', attempt: 1 },
    'The analysis begins: packets are not taken any more.',
  ],
  [
    'state',
    { status: 'PROCESSING_AI', previous_status: 'FAILED', attempt: 6 },
    'The analysis is tried anew.',
  ],
  [
    'state',
    { status: 'FAILED', error: '503 Service Unavailable', next_attempt_at: next },
    `The analysis failed: 503 Service Unavailable; it is tried anew at ${nextShown}.`,
  ],
  [
    'state',
    { status: 'FAILED', error: 'The audio cannot be read.', next_attempt_at: null },
    'The analysis failed: The audio cannot be read; it is not tried again.',
  ],
  [
    'state',
    { status: 'FAILED' },
    'The analysis failed: no reason was given; it is not tried again.',
  ],
  ['state', { status: 'ARCHIVED' }, 'The call is archived.'],
  ['state', { status: 'A_STATE_OF_TOMORROW' }, 'The call changed.'],
  [
    'attempt_started',
    { attempt: 2, provider: 'mock', gateway: 'pbx-1/77/ab' },
    'Attempt 2 to analyse the call began (mock, by pbx-1/77/ab).',
  ],
  [
    'attempt_ended',
    { attempt: 2, outcome: 'retryable', error: 'mock: 503', next_attempt_at: next },
    `Attempt 2 failed: mock: 503; next attempt at ${nextShown}.`,
  ],
  [
    'attempt_ended',
    { attempt: 2, outcome: 'outage', error: 'connection refused', next_attempt_at: next },
    `Attempt 2 found the AI service out of order: connection refused; next attempt at ${nextShown}.`,
  ],
  [
    'attempt_ended',
    { attempt: 2, outcome: 'permanent', error: 'bad audio', next_attempt_at: null },
    'Attempt 2 failed, as any other would: bad audio.',
  ],
  [
    'attempt_ended',
    { attempt: 2, outcome: 'released', error: null, next_attempt_at: next },
    `Attempt 2 was given back: its gateway was stopped; next attempt at ${nextShown}.`,
  ],
  ['attempt_ended', { attempt: 2, outcome: 'lost' }, 'Attempt 2 was lost: its gateway vanished.'],
  ['attempt_ended', { attempt: 2, outcome: 'new' }, 'Attempt 2 ended.'],
  ['result', {}, 'The result of the analysis was stored.'],
  ['first_packet', { track: 'inbound' }, 'The first packet on inbound was stored.'],
  [
    'last_packet',
    { track: 'mixed', packets: 1250, missing: '{}', missing_count: 0, late: 0, duplicates: 0 },
    'The newest packet on mixed was stored: 1,250 in all, none is missing.',
  ],
  [
    'last_packet',
    { track: 'mixed', packets: 9, missing: '{[2,4)}', missing_count: 2, late: 1, duplicates: 3 },
    'The newest packet on mixed was stored: 9 in all, 2 missing (2,3), 1 out of order, 3 sent again.',
  ],
  [
    'last_packet',
    {
      track: 'mixed',
      packets: 100,
      missing: `{${Array.from({ length: 50 }, (_, gap) => `[${3 * gap + 1},${3 * gap + 2})`)}}`,
      missing_count: 5000,
      late: 0,
      duplicates: 0,
    },
    'The newest packet on mixed was stored: 100 in all, 5,000 missing.',
  ],
  [
    'media',
    {
      event: 'stream_started',
      protocol: 'twilio',
      tracks: ['inbound', 'outbound'],
      format: { encoding: 'PCMU', rate: 8000, clock: 'sender' },
    },
    'A stream began (twilio, inbound and outbound, PCMU at 8,000 Hz).',
  ],
  [
    'media',
    { event: 'stream_started', protocol: 'vonage', tracks: ['mixed'], continues: 'CALL-1' },
    'A stream began (vonage, mixed). It is a call of its own: CALL-1 was over, or could not take it.',
  ],
  [
    'media',
    { event: 'stream_ended', by: 'stopped', protocol: 'twilio' },
    'A stream (twilio) ended: the PBX said that it is over.',
  ],
  [
    'media',
    { event: 'stream_ended', by: 'disconnected', protocol: 'twilio' },
    'A stream (twilio) ended: its connection was lost.',
  ],
  [
    'media',
    { event: 'stream_ended', by: 'replaced', protocol: 'twilio' },
    'A stream (twilio) ended: it was silent, and another one took its place.',
  ],
  ['media', { event: 'stream_ended' }, 'A stream ended.'],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 1240, cause: 'clock' },
    'No audio came for 1,240 ms on inbound (fewer samples than time: lost, on hold, or the sender does not ' +
      'send silence).',
  ],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 19.6, cause: 'reported' },
    'No audio came for 20 ms on inbound (the PBX said that it was lost).',
  ],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 20, cause: 'reconnect' },
    'No audio came for 20 ms on inbound (the connection was away).',
  ],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 20, cause: 'paused' },
    'No audio came for 20 ms on inbound (the PBX had paused it).',
  ],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 20, cause: 'overload' },
    'No audio came for 20 ms on inbound (the gateway had no room for it).',
  ],
  [
    'media',
    { event: 'no_audio', track: 'inbound', milliseconds: 0, cause: 'clock' },
    'The audio that had not come on inbound came after all.',
  ],
  ['media', { event: 'dtmf', digit: '#' }, 'The key # was pressed.'],
  ['media', { event: 'dtmf', digit: '5', track: 'inbound' }, 'The key 5 was pressed on inbound.'],
  ['media', { event: 'paused' }, 'The PBX paused the audio.'],
  ['media', { event: 'resumed' }, 'The PBX resumed the audio.'],
  [
    'media',
    { event: 'tracks_swapped', swapped: true },
    'The roles were set: inbound is the agent, outbound the customer.',
  ],
  [
    'media',
    { event: 'tracks_swapped', swapped: false },
    'The roles were set: inbound is the customer, outbound the agent.',
  ],
  ['media', { event: 'mark' }, 'The PBX said: mark.'],
  [
    'media',
    { event: 'error', code: 3, about: { a: 1 } },
    'The PBX said: error, code 3, about {"a":1}.',
  ],
  // The names of methods of objects are names of events like any other.
  ['media', { event: 'constructor' }, 'The PBX said: constructor.'],
  ['media', {}, 'The PBX said: unknown.'],
]

for (const [kind, data, text] of sentences)
  test(`${kind} ${JSON.stringify(data).slice(0, 80)} is told as “${text}”`, () =>
    assert.equal(textOf(kind, data), text))

test('an entry has its time and its particulars beside the sentence, as the API writes them', () => {
  const packets = { track: 'mixed', packets: 9, missing_count: 2, late: 1, duplicates: 3 }
  const {
    at: time,
    kind,
    data,
  } = viewEntry({
    at,
    kind: 'last_packet',
    data: { ...packets, missing: '{[2,4)}' },
  })
  assert.deepEqual(
    { time, kind, data },
    { time: at.toISOString(), kind: 'last_packet', data: { ...packets, missing: '2,3' } },
  )
  const failed = viewEntry({ at, kind: 'state', data: { next_attempt_at: next } })
  assert.equal(failed.data.next_attempt_at, nextShown)
})

test('whatever an entry holds, it has a sentence; what a PBX says does not make it endless', () => {
  const words = [...new Set(sentences.flatMap(([, data]) => Object.entries(data).flat()))]
  const value = fc.oneof(fc.constantFrom(...words), fc.jsonValue(), fc.string({ maxLength: 5_000 }))
  const keys = fc.constantFrom(...new Set(sentences.flatMap(([, data]) => Object.keys(data))))
  fc.assert(
    fc.property(fc.constantFrom(...entryKinds), fc.dictionary(keys, value), (kind, data) => {
      const text = textOf(kind, data)
      assert.match(text, /^[A-Z].*\.$/s)
      if (kind === 'media') assert.ok(text.length < 1_000, text)
    }),
    { numRuns: 5_000 },
  )
})
