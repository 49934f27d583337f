import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type RedactionMode,
  type RedactionModes,
  redactionClasses,
  sameMode,
  type TrackUtterance,
} from '../../../src/analysis/redaction/classes.ts'
import { redact } from '../../../src/analysis/redaction/redact.ts'
import type { Random } from '../../../src/random.ts'
import { seededFor } from '../../support/seed.ts'
import { readExamples } from './examples.ts'
import { luhnNumber, pick, spell } from './spellings.ts'

const acknowledgements = [
  'mhm',
  'Yes.',
  'Okay, go on.',
  'Got it, and the next four?',
  'uh-huh',
  'Right',
]
const numberWords =
  /\p{Nd}|\b(zero|oh|o|one|two|three|four|five|six|seven|eight|nine|ten|\w+teen|eleven|twelve|\w+ty|double|triple|treble)\b/iu

test('no digit of a card number survives, however it is said and split', (t) => {
  const random = seededFor(t)
  for (let run = 0; run < 1500; run += 1) {
    const call = dictate(luhnNumber(random), random)
    for (const mode of ['mask', 'remove'] as const) {
      const { utterances, findings } = redact(call, sameMode(mode))
      for (const [index, { text, track }] of utterances.entries()) {
        if (track === 'outbound') continue
        const message = `${JSON.stringify(call[index]?.text)} became ${JSON.stringify(text)}`
        assert.doesNotMatch(text, numberWords, message)
      }
      assert.ok(findings.length > 0)
    }
  }
})

test('what was redacted stays as it is when it is redacted again', (t) => {
  const random = seededFor(t)
  for (let run = 0; run < 400; run += 1) {
    const call = babble(random)
    const modes = anyModes(random)
    const { utterances } = redact(call, modes)
    const again = redact(utterances, modes)
    assert.deepEqual(again, { utterances, findings: [] }, JSON.stringify({ call, modes }))
  }
})

test('a text changes in the places of its findings, and nowhere else', (t) => {
  const random = seededFor(t)
  for (let run = 0; run < 400; run += 1) {
    const call = babble(random)
    const { utterances, findings } = redact(call, sameMode('mask'))
    for (const [index, { text, start, end }] of call.entries()) {
      const places = findings
        .flatMap(({ class: name, places: all }) => all.map((place) => ({ name, ...place })))
        .filter(({ utterance }) => utterance === index)
        .sort((one, other) => one.start - other.start)
      const positionAt = (second: number) =>
        Math.round(((second - start) * text.length) / (end - start))
      let expected = ''
      let from = 0
      for (const place of places) {
        assert.ok(start <= place.from && place.from < place.to && place.to <= end)
        expected += text.slice(from, positionAt(place.from))
        assert.equal(place.start, expected.length)
        expected += `[${place.name}]`
        assert.equal(place.end, expected.length)
        from = positionAt(place.to)
      }
      assert.equal(utterances[index]?.text, expected + text.slice(from))
      if (places.length === 0) assert.equal(utterances[index], call[index])
    }
  }
})

test('with every mode off nothing is found and nothing is changed', () => {
  for (const { utterances } of readExamples('tuning.txt')) {
    const redacted = redact(utterances, sameMode('off'))
    assert.deepEqual(redacted, { utterances, findings: [] })
  }
})

/** A number over one to four utterances, while the other side says that it is listening. */
function dictate(number: string, random: Random): TrackUtterance[] {
  const parts = 1 + Math.floor(random() * 4)
  const size = Math.ceil(number.length / parts)
  const call: TrackUtterance[] = []
  const say = (track: string, text: string) =>
    call.push({ track, text, start: call.length, end: call.length + 1 })
  const opening = pick(random, ['', 'My card is ', 'so ', 'Uh, it is ', 'Take this: '])
  const closing = pick(random, ['', '.', ', thanks', ' please.', '!'])
  for (let part = 0; part < parts; part += 1) {
    const digits = number.slice(part * size, (part + 1) * size)
    if (digits === '') break
    const isLast = (part + 1) * size >= number.length
    say('inbound', `${part === 0 ? opening : ''}${spell(digits, random)}${isLast ? closing : ''}`)
    if (!isLast && random() < 0.8) say('outbound', pick(random, acknowledgements))
  }
  return call
}

/** Pieces of the examples and everything else that the rules look at, in no order. */
function babble(random: Random): TrackUtterance[] {
  const examples = readExamples('tuning.txt').flatMap(({ utterances }) => utterances)
  const pieces = [
    ...'double,oh,hundred,and,twenty,five,at,dot,com,plus,+,(,),.,-,$,é,😀,[card],[cvv],cvv,'.split(
      ',',
    ),
    ...'social,my number is,security code,order number,4111,1111,123,6595,a@b.co,555 0123,GB84,A'.split(
      ',',
    ),
  ]
  return Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => {
    const words = Array.from({ length: Math.floor(random() * 12) }, () =>
      random() < 0.2
        ? pick(random, examples).text
        : random() < 0.2
          ? spell(luhnNumber(random), random)
          : pick(random, pieces),
    )
    const text = words.join(pick(random, [' ', ', ', '']))
    return { start: index * 5, end: index * 5 + 4, track: pick(random, ['a', 'b']), text }
  })
}

function anyModes(random: Random): RedactionModes {
  const modes: RedactionMode[] = ['off', 'mask', 'remove']
  const entries = redactionClasses.map((name) => [name, pick(random, modes)])
  return { ...sameMode('mask'), ...Object.fromEntries(entries) }
}
