// Where two pieces of a transcript meet that both heard the same seconds. They are joined at words on which both
// agree; where they agree on none, at a time. Pure.
import type { Utterance } from '../service.ts'
import { type SpokenWord, spokenWords } from './spoken-words.ts'

/** What is kept of both sides. */
export type Seam = {
  readonly before: readonly Utterance[]
  readonly after: readonly Utterance[]
}

/** More words than anybody says in an overlap and a little around it; so many utterances hold them. */
const mostWords = 40
/** In seconds: the least error of the time of a word; of a long utterance it is a share of its length. */
const [timeError, timeErrorShare] = [1, 0.4]
/** The words of a longer utterance have no time to speak of. */
const longestTimed = 30
/** Words that agree in this number need not agree in time. */
const certainRun = 3
/** Nor need so many that are all that both sides heard: around them is but a word at each edge, which was cut there. */
const certainWhole = 2

/**
 * Joins utterances of which the left ones end, and the right ones begin, within the same seconds.
 * @param from where the right piece begins
 * @param to where the left piece ends: at `from` or before when they share nothing
 */
export function seamBetween(
  left: readonly Utterance[],
  right: readonly Utterance[],
  from: number,
  to: number,
): Seam {
  const tail = left.slice(-mostWords)
  const head = right.slice(0, mostWords)
  const leftWords = spokenWords(tail)
  const rightWords = spokenWords(head)
  if (from >= to || leftWords.length === 0 || rightWords.length === 0)
    return { before: left, after: right }

  const cut = cutAtWords(leftWords, tail, rightWords, head) ?? {
    lastLeft: cutsAtTime(tail) ? leftWords.findLastIndex(isBefore((from + to) / 2)) : Infinity,
    firstRight: cutsAtTime(head)
      ? rightWords.findIndex((word) => !isBefore((from + to) / 2)(word))
      : 0,
  }
  return {
    before: [...left.slice(0, -tail.length), ...keepUpTo(tail, leftWords, cut.lastLeft)],
    after: [...keepFrom(head, rightWords, cut.firstRight), ...right.slice(head.length)],
  }
}

/** The last word that is kept of the left side, and the first of the right side: indexes of words. */
type Cut = { readonly lastLeft: number; readonly firstRight: number }

/** Finds the run of words that both sides heard, and about at the same time. */
function cutAtWords(
  leftWords: readonly SpokenWord[],
  left: readonly Utterance[],
  rightWords: readonly SpokenWord[],
  right: readonly Utterance[],
): Cut | undefined {
  const firstLeft = Math.max(0, leftWords.length - mostWords)
  let best: (Cut & { readonly score: number }) | undefined
  /** For every word of the right side: the run that ends there and at the left word before. */
  let runs: readonly Run[] = []
  for (const [index, leftWord] of leftWords.slice(firstLeft).entries()) {
    const next: Run[] = []
    for (const [rightIndex, rightWord] of rightWords.slice(0, mostWords).entries()) {
      const run = extended(runs[rightIndex - 1] ?? noRun, leftWord, left, rightWord, right)
      next.push(run)
      const lastLeft = firstLeft + index
      const isWhole = lastLeft >= leftWords.length - 2 && rightIndex - run.length < 1
      const isCertain = run.length >= (isWhole ? certainWhole : certainRun)
      if ((isCertain || run.isInTime) && run.score > (best?.score ?? 0))
        best = { lastLeft, firstRight: rightIndex + 1, score: run.score }
    }
    runs = next
  }
  return best
}

type Run = { readonly length: number; readonly score: number; readonly isInTime: boolean }

const noRun: Run = { length: 0, score: 0, isInTime: true }

function extended(
  run: Run,
  leftWord: SpokenWord,
  left: readonly Utterance[],
  rightWord: SpokenWord,
  right: readonly Utterance[],
): Run {
  if (leftWord.word !== rightWord.word) return noRun
  const error = Math.max(
    timeError,
    timeErrorShare * lengthOf(left[leftWord.utterance]),
    timeErrorShare * lengthOf(right[rightWord.utterance]),
  )
  const apart = Math.abs(middleOf(leftWord) - middleOf(rightWord))
  if (apart > error) return noRun
  return {
    length: run.length + 1,
    score: run.score + 1 - apart / error,
    isInTime: run.isInTime && apart <= timeError,
  }
}

function lengthOf(utterance: Utterance | undefined): number {
  return utterance === undefined ? 0 : utterance.end - utterance.start
}

function middleOf({ start, end }: SpokenWord): number {
  return (start + end) / 2
}

function isBefore(time: number): (word: SpokenWord) => boolean {
  return (word) => middleOf(word) < time
}

/** Words said twice are better than words lost. */
function cutsAtTime(utterances: readonly Utterance[]): boolean {
  return utterances.every((utterance) => lengthOf(utterance) <= longestTimed)
}

function keepUpTo(
  utterances: readonly Utterance[],
  words: readonly SpokenWord[],
  last: number,
): readonly Utterance[] {
  if (last >= words.length - 1) return utterances
  const word = words[last]
  const next = words[last + 1]
  if (word === undefined) return []
  return utterances.slice(0, word.utterance + 1).map((utterance, index) => {
    if (index !== word.utterance || next?.utterance !== index) return utterance
    return { ...utterance, end: word.end, text: utterance.text.slice(0, next.index).trimEnd() }
  })
}

function keepFrom(
  utterances: readonly Utterance[],
  words: readonly SpokenWord[],
  first: number,
): readonly Utterance[] {
  const word = first < 0 ? undefined : words[first]
  if (word === undefined) return []
  const isFirst = words[first - 1]?.utterance !== word.utterance
  return utterances.slice(word.utterance).map((utterance, index) => {
    if (index > 0 || isFirst) return utterance
    return { ...utterance, start: word.start, text: utterance.text.slice(word.index) }
  })
}
