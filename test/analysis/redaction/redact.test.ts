import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type RedactionModes,
  sameMode,
  type TrackUtterance,
} from '../../../src/analysis/redaction/classes.ts'
import { redact } from '../../../src/analysis/redaction/redact.ts'

test('masking puts the class in the place of the value, removing leaves clean spacing', () => {
  const text = 'My card, 4111 1111 1111 1111, is new. Write to a.b@example.com (or not).'
  assert.equal(redactText(text), 'My card, [card], is new. Write to [email] (or not).')
  assert.equal(redactText(text, sameMode('remove')), 'My card,, is new. Write to (or not).')
  assert.equal(redactText('it is 4111111111111111.', sameMode('remove')), 'it is.')
  assert.equal(redactText('4111111111111111 is it', sameMode('remove')), 'is it')
  assert.equal(redactText('call me on (415) 555-2671 now'), 'call me on [phone] now')
})

test('each class has its own mode', () => {
  const modes = { ...sameMode('off'), card: 'remove', email: 'mask' } as const
  const text = 'It is 4111 1111 1111 1111, a@example.com or +44 20 7946 0958.'
  assert.equal(redactText(text, modes), 'It is, [email] or +44 20 7946 0958.')
})

test('a finding says the class and the places, in text and in time, and never the value', () => {
  const call = [
    said('inbound', 10, 'It is 4111 1111'),
    said('outbound', 15, 'mhm'),
    said('inbound', 20, '1111 1111 okay.'),
  ]
  const { utterances, findings } = redact(call, sameMode('mask'))
  assert.deepEqual(
    utterances.map(({ text }) => text),
    ['It is [card]', 'mhm', '[card] okay.'],
  )
  assert.deepEqual(findings, [
    {
      class: 'card',
      places: [
        { utterance: 0, start: 6, end: 12, from: 10 + (3 * 6) / 15, to: 13 },
        { utterance: 2, start: 0, end: 6, from: 20, to: 20 + (3 * 9) / 15 },
      ],
    },
  ])
  assert.doesNotMatch(JSON.stringify({ utterances, findings }), /1111/)
})

test('what a removed finding leaves is placed where it was', () => {
  const call = [said('inbound', 0, 'card 4111111111111111 now')]
  const [finding] = redact(call, sameMode('remove')).findings
  assert.deepEqual(
    finding?.places.map(({ start, end }) => ({ start, end })),
    [{ start: 5, end: 5 }],
  )
})

test('a question in between that is more than a nod ends a number', () => {
  const call = [
    said('inbound', 0, 'My order is 4111 1111'),
    said('outbound', 4, 'And which floor do you live on?'),
    said('inbound', 8, '1111 1111'),
  ]
  assert.deepEqual(redact(call, sameMode('mask')), { utterances: call, findings: [] })
})

test('digits that come together when others are taken out are looked at again', () => {
  const text = '4111 1111 a@example.com 1111 1111'
  assert.equal(redactText(text, sameMode('remove')), '')
})

test('numbers are found in any script and between characters that nobody sees', () => {
  assert.equal(redactText('٤١١١ ١١١١ ١١١١ ١١١١'), '[card]')
  assert.equal(redactText('४१११-११११-११११-११११'), '[card]')
  assert.equal(redactText('4111\u200b1111\u00ad1111\u20601111 😀'), '[card] 😀')
  assert.equal(redactText('𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 é'), '[card] é')
  assert.equal(redactText('\ud800 4111111111111111 \udc00'), '\ud800 [card] \udc00')
})

test('prices, times, years, flights and invoices stay', () => {
  for (const text of ['flight BA 2490', '£1,250.00', 'at 10:30', 'in 2024', 'invoice 20231'])
    assert.equal(redactText(text), text)
  assert.equal(redactText('order number 4111 1111 1111 1111'), 'order number [card]')
})

const hostile = [
  ...['1', '4 ', '1,', '+1 ', 'a1', 'A1 ', '[card] ', 'oh ', 'twenty ', '4111 1111 1111 1111 '],
  ...['a@', 'a-', 'a@b.co ', 'at a dot ', 'cvv 123 ', 'social 123456789 ', '\ud800', ' '],
]

test('100 kB of anything are redacted', { timeout: 110_000 }, () => {
  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(100_000 / piece.length))
    assert.equal(redact([said('inbound', 0, text)], sameMode('mask')).utterances.length, 1)
  }
})

test('a call of a thousand utterances is redacted, whoever speaks', { timeout: 110_000 }, () => {
  for (const piece of ['4 ', '4111 1111 1111 1111 ', 'cvv 123 ', 'at a dot ']) {
    const call = Array.from({ length: 1000 }, (_, index) =>
      said(index % 3 === 0 ? 'outbound' : 'inbound', index, piece.repeat(100 / piece.length)),
    )
    assert.equal(redact(call, sameMode('remove')).utterances.length, call.length)
  }
})

function said(track: string, start: number, text: string): TrackUtterance {
  return { track, start, end: start + 3, text }
}

function redactText(text: string, modes: RedactionModes = sameMode('mask')): string | undefined {
  return redact([said('inbound', 0, text)], modes).utterances[0]?.text
}
