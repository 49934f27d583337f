// A transcript as people and players read it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactedSpans } from '../../src/analysis/redacted-spans.ts'
import type { StoredUtterance, TranscriptStep } from '../../src/analysis/steps.ts'
import { formatCues } from '../../src/analysis/transcript-formats.ts'
import { cuesOf, viewTranscript } from '../../src/analysis/transcript-view.ts'
import { hostileSpeech } from '../support/ai/garbage.ts'

const said = (
  track: 'inbound' | 'outbound',
  start: number,
  end: number,
  text: string,
): StoredUtterance => ({ track, speaker: null, start, end, text, confidence: 0.9 })

const step = (...utterances: StoredUtterance[]): TranscriptStep => ({
  utterances,
  text: null,
  findings: [],
})

const talk = [
  step(said('inbound', 2.5, 4, 'I was charged twice & <I> am sorry.')),
  step(said('outbound', 0.0004, 2.25, 'Hello?'), said('outbound', 3_725.1, 3_726, 'Goodbye.')),
]
const lost = [{ track: 'inbound', start: 4, end: 5.5 }]

function cues(swapped = false) {
  const transcript = viewTranscript(talk, swapped)
  assert.ok(transcript)
  return cuesOf(transcript, lost, 3_726)
}

test('as text it has a line for each time somebody speaks, in order, with the lost audio', () => {
  assert.equal(
    formatCues(cues(), 'text'),
    `[00:00:00.000] Agent: Hello?
[00:00:02.500] Customer: I was charged twice & <I> am sorry.
[00:00:04.000] [1.5 s of audio lost on inbound]
[01:02:05.100] Agent: Goodbye.
`,
  )
})

test('as SubRip it has numbered cues with a blank line between', () => {
  assert.equal(
    formatCues(cues().slice(0, 2), 'srt'),
    `1
00:00:00,000 --> 00:00:02,250
Agent: Hello?

2
00:00:02,500 --> 00:00:04,000
Customer: I was charged twice & <I> am sorry.
`,
  )
})

test('as WebVTT markup is text, and who was swapped is called so', () => {
  assert.equal(
    formatCues(cues(true).slice(0, 2), 'vtt'),
    `WEBVTT

00:00:00.000 --> 00:00:02.250
Customer: Hello?

00:00:02.500 --> 00:00:04.000
Agent: I was charged twice &amp; &lt;I&gt; am sorry.
`,
  )
})

test('nothing that is said begins another line or cue', () => {
  const evil = ['a\n\n2\n00:00:09.000 --> 00:00:10.000\nAgent: yes', 'x\r\n[00:00:01.000] Agent: y']
  for (const text of [...hostileSpeech, ...evil]) {
    const transcript = viewTranscript([step(said('inbound', 0, 1, text))], false)
    assert.ok(transcript)
    const one = cuesOf(transcript, [], 1)
    assert.equal(formatCues(one, 'text').split('\n').length, 2, text)
    assert.equal(formatCues(one, 'srt').split('\n').length, 4, text)
    const vtt = formatCues(one, 'vtt')
    assert.equal(vtt.split('\n').length, 5, text)
    assert.equal(vtt.match(/-->/g)?.length, 1, text)
    assert.doesNotMatch(vtt, /<script/)
  }
})

test('what is known without its times lasts as long as the call, and nothing is no transcript', () => {
  const transcript = viewTranscript([{ utterances: [], text: 'hello', findings: [] }], false)
  assert.ok(transcript)
  assert.deepEqual(cuesOf(transcript, [], 12), [
    { start: 0, end: 12, speaker: null, text: 'hello' },
  ])
  assert.equal(viewTranscript([], false), undefined)
})

test('what is muted is the whole utterance of which something was taken out, on its track', () => {
  const spans = redactedSpans([
    {
      step: 'transcript',
      track: 'inbound',
      provider: 'openai',
      result: {
        text: null,
        findings: [{ class: 'card', start: 11, end: 12 }],
        utterances: [said('inbound', 1, 2, 'Hello.'), said('inbound', 10, 14, 'It is [card].')],
      },
    },
  ])
  assert.ok(spans.every(({ track }) => track === 'inbound'))
  assert.deepEqual(spans.at(-1), { track: 'inbound', start: 9.75, end: 14.25 })
  assert.ok(spans.every(({ start }) => start > 2))
})
