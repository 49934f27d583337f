import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createExcerptSummariser, excerptOf } from '../../../src/analysis/providers/excerpt.ts'
import type { SpokenLine } from '../../../src/analysis/service.ts'

test('reason, outcome and next step are quotations of what was said', async () => {
  const calls = JSON.parse(await readFile('assets/speech/speech.json', 'utf8')) as {
    name: string
    turns: SpokenLine[]
  }[]
  const summaries = new Map(calls.map(({ name, turns }) => [name, excerptOf(turns)]))
  assert.deepEqual(summaries.get('billing-dispute'), {
    reason:
      'The customer said: “I have been charged twice for my March bill, and this is the third time I call.”',
    outcome: 'The agent said: “I have ordered a refund.”',
    nextStep: 'The agent said: “You will have the money within three working days.”',
  })
  assert.deepEqual(summaries.get('password-reset'), {
    reason: 'The customer said: “I need to reset my password.”',
    outcome: 'The agent said: “Your account is open now, and the old password no longer works.”',
    nextStep: '',
  })
  for (const { name, turns } of calls) {
    const spoken = turns.map(({ text }) => text).join(' ')
    for (const part of Object.values(summaries.get(name) ?? {}))
      assert.ok(part === '' || spoken.includes(/“(.*)”/.exec(part)?.[1] ?? 'nothing'), part)
  }
})

test('greetings, questions and farewells are neither a reason nor an outcome', () => {
  const line = (speaker: SpokenLine['speaker'], text: string) => ({ speaker, start: 0, text })
  assert.deepEqual(
    excerptOf([
      line('agent', 'Welcome to the Northwind service desk.'),
      line('customer', 'Hello, good morning to you. Yes. My heating is broken since Monday.'),
      line(
        'agent',
        'The pump is switched on again. Is there anything else I can do? Thank you for calling us.',
      ),
    ]),
    {
      reason: 'The customer said: “My heating is broken since Monday.”',
      outcome: 'The agent said: “The pump is switched on again.”',
      nextStep: '',
    },
  )
})

test('a call in which nothing was said has an empty summary', () => {
  assert.deepEqual(excerptOf([]), { reason: '', outcome: '', nextStep: '' })
})

test('the summariser asks nobody, and stops with its signal', async () => {
  const { summarise } = createExcerptSummariser()
  const request = { idempotencyKey: 'a', lines: [] }
  const { value, use } = await summarise(request, new AbortController().signal)
  assert.deepEqual([value.reason, use], ['', {}])
  await assert.rejects(summarise(request, AbortSignal.abort(new Error('over'))), /over/)
})
