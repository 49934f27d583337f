import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { joinPieces } from '../../../src/analysis/audio/join.ts'
import type { Utterance } from '../../../src/analysis/service.ts'
import { type Random, seededRandom } from '../../../src/random.ts'

type Word = { readonly text: string; readonly start: number; readonly end: number }
type Piece = { readonly start: number; readonly end: number }

/** Speech without a pause: words of 0.15 to 0.8 s. */
function speech(count: number, vocabulary: number, random: Random): Word[] {
  const words: Word[] = []
  let time = 0.5
  for (let index = 0; index < count; index += 1) {
    const length = 0.15 + 0.65 * random()
    const name = vocabulary === 0 ? `word${index}` : `word${Math.floor(random() * vocabulary)}`
    words.push({ text: name, start: time, end: time + length })
    time += length + 0.15 * random()
  }
  return words
}

/** Pieces that share two seconds. */
function cut(seconds: number, longest: number): Piece[] {
  const pieces: Piece[] = []
  for (let start = 0; ; start += longest - 2) {
    const end = Math.min(start + longest, seconds)
    pieces.push({ start, end })
    if (end === seconds) return pieces
  }
}

/**
 * What a service hears in a piece: whole words, in utterances of one to `longest` words, timed with an error; a word
 * that the edge of the piece cuts is another word.
 */
function hear(
  words: readonly Word[],
  piece: Piece,
  longest: number,
  error: number,
  random: Random,
) {
  const heard = words
    .filter(({ start, end }) => end > piece.start && start < piece.end)
    .map((word) =>
      word.start >= piece.start && word.end <= piece.end ? word : { ...word, text: 'mumble' },
    )
  const utterances: Utterance[] = []
  for (let index = 0; index < heard.length; ) {
    const group = heard.slice(index, index + 1 + Math.floor(random() * longest))
    index += group.length
    const time = (at: number) => at - piece.start + error * (2 * random() - 1)
    const start = Math.max(0, time(group[0]?.start ?? 0))
    const end = Math.min(piece.end - piece.start, Math.max(start, time(group.at(-1)?.end ?? 0)))
    const text = `${group.map((word) => word.text).join(' ')}.`
    utterances.push({ start, end, text, confidence: null })
  }
  return { ...piece, utterances }
}

function wordsIn(utterances: readonly Utterance[]): string[] {
  return utterances.flatMap(({ text }) => text.match(/\w+/g) ?? [])
}

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 })
/** Utterances in which every word that both hear is timed more than a second apart: many words, and no more than two. */
const drawnBefore: [number, number][] = [
  [839873981, 12],
  [1074257916, 6],
]

for (const [name, error] of [
  ['exact times', 0],
  ['times that are wrong by up to 0.3 s', 0.3],
] as const)
  test(`no word is lost or doubled where pieces meet: ${name}`, () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 12 }), (drawn, longest) => {
        const random = seededRandom(drawn)
        const words = speech(120, 0, random)
        const pieces = cut(words.at(-1)?.end ?? 0, 15)
        const joined = joinPieces(pieces.map((piece) => hear(words, piece, longest, error, random)))
        assert.deepEqual(
          wordsIn(joined),
          words.map(({ text }) => text),
        )
      }),
      { numRuns: 500, examples: drawnBefore },
    )
  })

test('one word said over and over is counted exactly where every word has its time', () => {
  fc.assert(
    fc.property(seed, (drawn) => {
      const random = seededRandom(drawn)
      const words = speech(120, 1, random)
      const pieces = cut(words.at(-1)?.end ?? 0, 15)
      const joined = joinPieces(pieces.map((piece) => hear(words, piece, 1, 0, random)))
      assert.equal(wordsIn(joined).length, words.length)
    }),
    { numRuns: 200 },
  )
})

test('where the same few words are said over and over, their number stays true within one a seam', () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: 8 }), (drawn, longest) => {
      const random = seededRandom(drawn)
      const words = speech(120, 3, random)
      const pieces = cut(words.at(-1)?.end ?? 0, 15)
      const joined = joinPieces(pieces.map((piece) => hear(words, piece, longest, 0.1, random)))
      const difference = Math.abs(wordsIn(joined).length - words.length)
      assert.ok(difference < pieces.length, `${difference} words at ${pieces.length - 1} seams`)
    }),
    { numRuns: 500 },
  )
})

test('a service that gives one text a piece without times is joined at the words', () => {
  fc.assert(
    fc.property(seed, (drawn) => {
      const random = seededRandom(drawn)
      const words = speech(300, 0, random)
      const pieces = cut(words.at(-1)?.end ?? 0, 60)
      const joined = joinPieces(pieces.map((piece) => hear(words, piece, 1_000, 0, random)))
      const heard = wordsIn(joined)
      // Three words must agree before they count without times; fewer are rather said twice than lost.
      const lost = words.filter(({ text }) => !heard.includes(text))
      assert.deepEqual(lost, [])
      assert.ok(heard.length <= words.length + 14 * (pieces.length - 1))
    }),
    { numRuns: 200 },
  )
})

test('pieces that were cut in silence follow each other as they are, in the time of the call', () => {
  const utterance = (start: number, text: string) => ({
    start,
    end: start + 1,
    text,
    confidence: 1,
  })
  const joined = joinPieces([
    { start: 0, end: 10, utterances: [utterance(1, 'Good morning.'), utterance(8, 'Yes.')] },
    { start: 10, end: 20, utterances: [utterance(0, 'Yes.'), utterance(5, 'Goodbye.')] },
  ])
  assert.deepEqual(
    joined.map(({ start, end, text }) => [start, end, text]),
    [
      [1, 2, 'Good morning.'],
      [8, 9, 'Yes.'],
      [10, 11, 'Yes.'],
      [15, 16, 'Goodbye.'],
    ],
  )
})

test('an overlap of speech keeps the better half of a word that was cut, and the marks between words', () => {
  const joined = joinPieces([
    {
      start: 0,
      end: 20,
      utterances: [
        { start: 12, end: 20, text: 'The wrong amount, I am sure, is eighty-s', confidence: 0.5 },
      ],
    },
    {
      start: 18,
      end: 30,
      utterances: [{ start: 0, end: 4, text: 'sure, is eighty-six pounds.', confidence: 0.9 }],
    },
  ])
  assert.deepEqual(
    joined.map(({ text }) => text),
    ['The wrong amount, I am sure, is eighty-', 'six pounds.'],
  )
})

test('languages without spaces are joined too', () => {
  const joined = joinPieces([
    {
      start: 0,
      end: 10,
      utterances: [{ start: 6, end: 10, text: '我想取消我的会员资格', confidence: null }],
    },
    {
      start: 8,
      end: 20,
      utterances: [{ start: 0, end: 4, text: '我的会员资格因为太贵了', confidence: null }],
    },
  ])
  assert.equal(joined.map(({ text }) => text).join(''), '我想取消我的会员资格因为太贵了')
})

test('a piece in which nothing was heard changes nothing', () => {
  const heard = {
    start: 0,
    end: 10,
    utterances: [{ start: 8, end: 9.9, text: 'Hold on', confidence: 1 }],
  }
  const nothing = { start: 8, end: 18, utterances: [] }
  assert.deepEqual(joinPieces([heard, nothing]), heard.utterances)
  assert.equal(
    joinPieces([
      { ...nothing, start: 0, end: 10 },
      { ...heard, start: 8, end: 18 },
    ]).length,
    1,
  )
  assert.deepEqual(joinPieces([]), [])
})
