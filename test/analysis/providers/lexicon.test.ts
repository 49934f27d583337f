import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createLexiconMoodJudge, moodOf } from '../../../src/analysis/providers/lexicon.ts'
import type { SpokenLine } from '../../../src/analysis/service.ts'
import { hostileSpeech } from '../../support/ai/garbage.ts'

function said(...texts: string[]): SpokenLine[] {
  return texts.map((text, start) => ({ speaker: 'customer', start, text }))
}

test('the calls of the demo have the mood that a listener hears', async () => {
  const calls = JSON.parse(await readFile('assets/speech/speech.json', 'utf8')) as {
    name: string
    turns: SpokenLine[]
  }[]
  assert.deepEqual(
    Object.fromEntries(calls.map(({ name, turns }) => [name, moodOf(turns).label])),
    {
      'billing-dispute': 'negative',
      'late-delivery': 'negative',
      'happy-upgrade': 'positive',
      'password-reset': 'neutral',
      cancellation: 'mixed',
      appointment: 'positive',
    },
  )
})

const examples = {
  positive: [
    'Thank you, that was great!',
    'You have been very kind.',
    'That is brilliant, I am so happy.',
    'I had a problem with my card but it is solved now, thanks.',
  ],
  negative: [
    'I am not happy with this.',
    'This is not good enough.',
    'Your service is terrible, I am furious.',
    'I am really disappointed and angry.',
    "I don't like this at all.",
    'I don’t like this at all.',
  ],
  neutral: [
    'Could you help me with my bill?',
    'I want to speak to a manager.',
    'Yes, please.',
    'Well, okay.',
    'My number is five five five.',
    'I would like to move my appointment.',
    '',
  ],
}
for (const [label, texts] of Object.entries(examples))
  test(`sentences of a customer who is ${label}`, () => {
    for (const text of texts) assert.equal(moodOf(said(text)).label, label, text)
  })

test('both moods in one call are mixed, a weak one beside a strong one is not', () => {
  assert.equal(moodOf(said('I love the app.', 'The price is horrible.')).label, 'mixed')
  const angry = said('This is terrible.', 'It is awful.', 'I hate it.', 'Fine.')
  assert.equal(moodOf(angry).label, 'negative')
})

test('only the customer counts; without one, those of whom nothing is known', () => {
  const agent: SpokenLine = { speaker: 'agent', start: 0, text: 'I am so sorry, this is terrible.' }
  const unknown: SpokenLine = { speaker: 'unknown', start: 0, text: 'This is wonderful!' }
  assert.deepEqual(moodOf([agent]), { label: 'neutral', score: 0 })
  assert.equal(moodOf([agent, unknown]).label, 'positive')
  assert.equal(moodOf([unknown, ...said('It is a pity, I am sad.')]).label, 'negative')
})

test('the score is within -1 and 1 whatever is said, and a long text takes no long time', () => {
  const texts = [
    ...hostileSpeech,
    'terrible '.repeat(50_000),
    'a'.repeat(200_000),
    '!'.repeat(9_999),
  ]
  for (const text of texts) {
    const { score } = moodOf(said(text))
    assert.ok(score >= -1 && score <= 1)
  }
})

test('the judge asks nobody, and stops with its signal', async () => {
  const judge = createLexiconMoodJudge()
  const request = { idempotencyKey: 'a', lines: said('It was wonderful.') }
  const { value, use } = await judge.judge(request, new AbortController().signal)
  assert.equal(value.label, 'positive')
  assert.deepEqual(use, {})
  await assert.rejects(judge.judge(request, AbortSignal.abort(new Error('over'))), /over/)
})
