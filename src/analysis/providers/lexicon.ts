// The mood of what the customer said, by the VADER lexicon of English: no model, no network. It knows words,
// negation, emphasis and "but"; it does not understand.
import vader from 'vader-sentiment'
import type { Sentiment } from '../provider.ts'
import type { Mood, MoodJudge, SpokenLine } from '../service.ts'
import { customerSentences } from './sentences.ts'

/** Words that the lexicon takes for a mood and that on the telephone are none. */
const courtesies =
  /\b(would like|(?:can|could|may|will) you (?:please )?help|help (?:me )?with|want(?:s|ed)? to|yes|yeah|okay|ok|well|please|charged?|credit|share)\b/gi

/** A sentence weaker than this says nothing; 0 to 1, as the lexicon's authors suggest. */
const weakest = 0.05
/** A call of which the moods sum up to less is neutral. */
const faintest = 0.2
/** From this share of the stronger mood on, the weaker one counts. */
const mixedShare = 0.5
/** One sentence longer than this is judged in parts; in characters. */
const longestSentence = 1_000

/** Builds the judge. */
export function createLexiconMoodJudge(): MoodJudge {
  return {
    name: 'lexicon',
    judge: async ({ lines }, signal) => {
      signal.throwIfAborted()
      return { value: moodOf(lines), use: {}, model: 'VADER' }
    },
  }
}

/** The mood of a conversation's customer; neutral when nothing was said. */
export function moodOf(lines: readonly SpokenLine[]): Mood {
  const scores = customerSentences(lines)
    .flatMap(parts)
    .map(scoreOf)
    .filter((score) => Math.abs(score) >= weakest)
  const good = sum(scores.filter((score) => score > 0))
  const bad = -sum(scores.filter((score) => score < 0))
  const score = scores.length === 0 ? 0 : (good - bad) / scores.length
  return { label: labelOf(good, bad), score: Math.round(score * 1_000) / 1_000 }
}

function labelOf(good: number, bad: number): Sentiment {
  if (good < faintest && bad < faintest) return 'neutral'
  if (Math.min(good, bad) >= mixedShare * Math.max(good, bad)) return 'mixed'
  return good > bad ? 'positive' : 'negative'
}

function scoreOf(sentence: string): number {
  const plain = sentence.replaceAll('’', "'").replace(courtesies, ' ')
  return vader.SentimentIntensityAnalyzer.polarity_scores(plain).compound
}

function parts(sentence: string): string[] {
  return sentence.match(new RegExp(`.{1,${longestSentence}}`, 'gsu')) ?? []
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
