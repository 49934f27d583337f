// The conversation as lines.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { lineAt, linesOf, splitBy } from '../../web/src/call/lines.ts'
import type { CallDetail, Transcript } from '../../web/src/call/types.ts'

const call = { transcription: null } as CallDetail
const transcript: Transcript = {
  utterances: [
    { track: 'inbound', speaker: 'customer', start: 0, end: 2, text: 'Hello' },
    { track: 'outbound', speaker: 'agent', start: 4, end: 6, text: 'Yes' },
  ],
  text: null,
  lost_audio: [
    { track: 'inbound', start: 3, end: 3.3 },
    { track: 'inbound', start: 3.3, end: 3.6 },
    { track: 'inbound', start: 3.7, end: 3.72 },
    { track: 'outbound', start: 5, end: 5.05 },
  ],
  redactions: [],
  mood: null,
  talk: null,
}

suite('a conversation', () => {
  test('has lost audio between its lines: adjoining losses in one, the shortest in none, and never longer than they are', () => {
    assert.deepEqual(
      linesOf(transcript, call).map((line) => [line.kind, line.start, line.end]),
      [
        ['said', 0, 2],
        ['lost', 3, 3.6],
        ['said', 4, 6],
      ],
    )
  })

  test('without times is the text line by line, with who said it', () => {
    const lines = linesOf(undefined, {
      ...call,
      transcription: 'Customer: I am <b>furious</b>.\n\nof nobody',
    })
    assert.deepEqual(
      lines.map((line) => line.kind === 'said' && [line.speaker, line.text]),
      [
        ['customer', 'I am <b>furious</b>.'],
        [null, 'of nobody'],
      ],
    )
  })

  test('knows which line is spoken at a time', () => {
    const lines = linesOf(transcript, call)
    assert.deepEqual(
      [1, 3, 5, 100].map((seconds) => lineAt(lines, seconds)),
      [0, -1, 2, -1],
    )
  })

  test('is split where a search matches, without losing a letter', () => {
    assert.deepEqual(splitBy('A bill, a Bill', 'bill'), ['A ', 'bill', ', a ', 'Bill', ''])
    assert.deepEqual(splitBy('İİ bill', 'bill').join(''), 'İİ bill')
    assert.deepEqual(splitBy('text', ''), ['text'])
  })
})
