// The words of an utterance and about when each was said: services time sentences, not always words. Pure.
import type { Utterance } from '../service.ts'

/** A word in its utterance. */
export type SpokenWord = {
  /** For comparison: without capitals. */
  readonly word: string
  /** Seconds. */
  readonly start: number
  readonly end: number
  /** Which utterance of the list. */
  readonly utterance: number
  /** Where in its text the word begins, in characters. */
  readonly index: number
}

const segmenter = new Intl.Segmenter('en', { granularity: 'word' })

/** The words of utterances; the time of a word is in proportion to its characters. */
export function spokenWords(utterances: readonly Utterance[]): readonly SpokenWord[] {
  return utterances.flatMap(({ text, start, end }, utterance) => {
    const secondsPerCharacter = text === '' ? 0 : (end - start) / text.length
    return [...segmenter.segment(text)]
      .filter(({ isWordLike }) => isWordLike)
      .map(({ segment, index }) => ({
        word: segment.toLowerCase(),
        start: start + index * secondsPerCharacter,
        end: start + (index + segment.length) * secondsPerCharacter,
        utterance,
        index,
      }))
  })
}
