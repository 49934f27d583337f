import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNumber } from '../../../src/analysis/redaction/number-words.ts'
import { tokenise } from '../../../src/analysis/redaction/tokens.ts'

const spoken = {
  four: '4',
  'forty-one': '41',
  'forty one': '41',
  nineteen: '19',
  'double five': '55',
  'triple oh': '000',
  'treble 7': '777',
  'oh four': '0',
  'four hundred': '400',
  'four hundred and eleven': '411',
  'eight hundred five five five': '800',
  'two thousand and six': '2006',
  'four thousand one hundred and eleven': '4111',
  '٤٢': '42',
}

for (const [text, digits] of Object.entries(spoken))
  test(`"${text}" begins with the number ${digits}`, () => {
    assert.equal(readNumber(tokenise(text, 0), 0, false)?.digits, digits)
  })

test('words that sound like digits are digits only between digits', () => {
  assert.equal(readNumber(tokenise('four to one', 0), 1, true)?.digits, '2')
  for (const text of ['to one', 'oh no', 'double trouble', 'hundred', 'won'])
    assert.equal(readNumber(tokenise(text, 0), 0, false), undefined)
})
