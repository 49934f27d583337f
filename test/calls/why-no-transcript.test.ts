// Why a call has no transcript: an answer for every state, never empty, with the time where there is one.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { CallFacts } from '../../src/calls/timeline-statements.ts'
import { callStatuses } from '../../src/calls/transitions.ts'
import { whyNoTranscript } from '../../src/calls/why-no-transcript.ts'

const settings = { packetTimeoutSeconds: 300, reconnectSeconds: 10 }
const now = new Date('2026-11-21T09:00:00.000Z')
const seconds = (count: number) => new Date(now.getTime() + count * 1_000)
const [before, ahead] = [seconds(-4), seconds(4)]
const [past, future] = ['2026-11-21T08:59:56.000Z', '2026-11-21T09:00:04.000Z']

const inProgress: CallFacts = {
  id: 1,
  status: 'IN_PROGRESS',
  now,
  completed_at: null,
  due_at: seconds(200),
  lease_owner: null,
  attempts: 0,
  last_outcome: null,
  transcription: null,
  ai_processed_at: null,
  error_message: null,
  packets: 5,
  last_packet_at: before,
  media_ended_at: null,
}
const completed: CallFacts = { ...inProgress, status: 'COMPLETED', completed_at: before }
const processing: CallFacts = { ...completed, status: 'PROCESSING_AI', attempts: 2 }
const error_message = 'mock: 503 Service Unavailable'
const failed: CallFacts = { ...processing, status: 'FAILED', attempts: 5, error_message }
const analysed: CallFacts = {
  ...completed,
  status: 'ARCHIVED',
  due_at: null,
  ai_processed_at: before,
  transcription: 'Hello.',
}

const answers: readonly (readonly [what: string, facts: CallFacts, why: string | null])[] = [
  [
    'in progress',
    inProgress,
    'The call is in progress; it is analysed when it is over, which is when somebody says so, its media end, or ' +
      'no packet comes for 300 s.',
  ],
  [
    'waiting for its media to come back',
    { ...inProgress, media_ended_at: before },
    `The call is in progress, but its media ended at ${past}. Unless they come back, it is over at ` +
      '2026-11-21T09:00:06.000Z, and is analysed then.',
  ],
  [
    'with packets after the end of its media',
    { ...inProgress, media_ended_at: seconds(-9), last_packet_at: before },
    'The call is in progress, but its media ended at 2026-11-21T08:59:51.000Z. Unless they come back, it is over ' +
      'at 2026-11-21T09:00:06.000Z, and is analysed then.',
  ],
  [
    'about to be completed',
    { ...inProgress, media_ended_at: seconds(-11), last_packet_at: seconds(-11) },
    'The call is in progress, but its media ended at 2026-11-21T08:59:49.000Z. Unless they come back, it is over ' +
      'any moment, and is analysed then.',
  ],
  [
    'in the grace for late packets',
    { ...completed, due_at: ahead },
    `The call is over since ${past}; its last packets may still come until ${future}, then it is analysed.`,
  ],
  [
    'waiting for its turn',
    { ...completed, due_at: before },
    `The call is over, and waits for its turn to be analysed since ${past}.`,
  ],
  [
    'under analysis',
    { ...processing, attempts: 1, lease_owner: 'pbx/7/a', due_at: ahead },
    'The AI is at work: attempt 1 is under way (by pbx/7/a).',
  ],
  [
    'under analysis again',
    { ...processing, lease_owner: 'pbx/7/a', due_at: ahead, error_message },
    `The AI is at work: attempt 2 is under way (by pbx/7/a). An attempt before failed: ${error_message}.`,
  ],
  [
    'left by its gateway',
    { ...processing, lease_owner: 'pbx/7/a', due_at: before },
    'Attempt 2 (by pbx/7/a) gives no sign of life; another gateway takes over.',
  ],
  [
    'waiting for the next attempt',
    { ...processing, last_outcome: 'retryable', due_at: ahead, error_message },
    `It waits for the AI. Attempt 2 failed: ${error_message}. Attempt 3 is made at ${future}.`,
  ],
  [
    'waiting for a service that is out of order',
    { ...processing, last_outcome: 'outage', due_at: before, error_message },
    `It waits for the AI. The AI service is out of order: ${error_message}. Attempt 3 is made any moment.`,
  ],
  [
    'given back',
    { ...processing, last_outcome: 'released', due_at: before, error_message },
    'Attempt 2 was given back, since its gateway was stopped. Attempt 3 is made any moment.',
  ],
  [
    'failed, to be tried anew',
    { ...failed, due_at: ahead },
    `The analysis failed after 5 attempts: ${error_message}. It is tried anew by itself at ${future}.`,
  ],
  [
    'failed, and due',
    { ...failed, attempts: 1, due_at: before },
    `The analysis failed after 1 attempt: ${error_message}. It is tried anew by itself any moment.`,
  ],
  [
    'failed for good',
    { ...failed, due_at: null, error_message: 'The audio cannot be read.' },
    'The analysis failed after 5 attempts: The audio cannot be read. It is not tried again.',
  ],
  [
    'failed before any analysis',
    { ...failed, attempts: 0, due_at: null, error_message: null },
    'The call failed before it was analysed. It is not tried again.',
  ],
  [
    'archived without an analysis',
    { ...analysed, ai_processed_at: null, transcription: null },
    'The call was archived without an analysis.',
  ],
  [
    'archived after failures',
    { ...analysed, ai_processed_at: null, transcription: null, error_message },
    `The call was archived without a result. The last attempt failed: ${error_message}.`,
  ],
  ['analysed', analysed, null],
  ['analysed, and resting', { ...analysed, status: 'COMPLETED', due_at: ahead }, null],
  [
    'analysed, with no word in it',
    { ...analysed, transcription: ' \n' },
    'The call was analysed; the AI heard no word in it.',
  ],
  [
    'analysed, and never heard',
    { ...analysed, packets: 0, transcription: '[no audio]' },
    'Nothing was heard: no packet came.',
  ],
  [
    'never heard, and waiting',
    { ...completed, packets: 0, last_packet_at: null, due_at: ahead },
    `Nothing was heard: no packet came. The call is over since ${past}; its last packets may still come until ` +
      `${future}, then it is analysed.`,
  ],
]

suite('a call that is', () => {
  for (const [what, facts, why] of answers)
    test(what, () => assert.equal(whyNoTranscript(facts, settings), why))
})

test('whatever is known of a call, it has a transcript or a reason in whole sentences', () => {
  const time = fc.option(fc.constantFrom(before, now, ahead))
  const text = fc.option(fc.constantFrom('', ' ', 'Hello', 'It failed!', '503'))
  const facts = fc.record({
    id: fc.constant(1),
    status: fc.constantFrom(...callStatuses),
    now: fc.constant(now),
    completed_at: time,
    due_at: time,
    lease_owner: fc.option(fc.constant('pbx/7/a')),
    attempts: fc.nat(3),
    last_outcome: fc.option(fc.constantFrom('retryable', 'outage', 'released', 'lost')),
    transcription: text,
    ai_processed_at: time,
    error_message: text,
    packets: fc.nat(2),
    last_packet_at: time,
    media_ended_at: time,
  })
  fc.assert(
    fc.property(facts, (call) => {
      const why = whyNoTranscript(call, settings)
      const hasTranscript =
        call.ai_processed_at !== null &&
        call.packets > 0 &&
        (call.transcription ?? '').trim() !== ''
      if (hasTranscript) assert.equal(why, null)
      else {
        assert.match(why ?? '', /^[A-Z].*[.!?]$/)
        assert.doesNotMatch(why ?? '', /undefined|null|NaN|Invalid| {2}/)
      }
    }),
    { numRuns: 5_000 },
  )
})
