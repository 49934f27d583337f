// Sentences of a conversation, as services without a model of language need them. Pure.
import type { SpokenLine } from '../service.ts'

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** What one side said, sentence by sentence, in the order of the lines. */
export function sentencesOf(
  lines: readonly SpokenLine[],
  speaker: SpokenLine['speaker'],
): readonly string[] {
  return lines
    .filter((line) => line.speaker === speaker)
    .flatMap(({ text }) => [...segmenter.segment(text)])
    .map(({ segment }) => segment.trim())
    .filter((sentence) => sentence !== '')
}

/** What the customer said; if nobody is known to be the customer, what everybody said of whom nothing is known. */
export function customerSentences(lines: readonly SpokenLine[]): readonly string[] {
  const spoken = sentencesOf(lines, 'customer')
  return spoken.length > 0 ? spoken : sentencesOf(lines, 'unknown')
}
