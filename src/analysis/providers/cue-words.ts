// The mood of a text from a short list of English cue words: enough for a mock, not a sentiment model.
import type { Sentiment } from '../provider.ts'

const positive = new Set(
  `amazing brilliant delighted excellent fantastic glad good great happy helpful love lovely perfect
   pleased satisfied thrilled wonderful`.split(/\s+/),
)
const negative = new Set(
  `angry annoyed awful bad complain complaint disappointed disappointing expensive frustrated
   frustrating pity poor ridiculous rude terrible unacceptable unhappy upset useless worst wrong`.split(
    /\s+/,
  ),
)
const negation = /^(not|never|hardly|.+n't)$/
const negationReach = 2

/** Cue words of both kinds make a text `mixed`, none make it `neutral`; "not happy" counts as unhappy. */
export function sentimentOf(text: string): Sentiment {
  const words =
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}']+/gu) ?? []
  const found = { positive: false, negative: false }
  for (const [index, word] of words.entries()) {
    const isPositive = positive.has(word)
    if (!isPositive && !negative.has(word)) continue
    const before = words.slice(Math.max(0, index - negationReach), index)
    const turned = before.some((other) => negation.test(other))
    found[isPositive !== turned ? 'positive' : 'negative'] = true
  }
  if (found.positive && found.negative) return 'mixed'
  if (found.positive) return 'positive'
  return found.negative ? 'negative' : 'neutral'
}
