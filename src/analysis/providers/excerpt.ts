// A summary without a model: sentences that were said, in quotation marks, so that nobody takes them for more.
import type { SpokenLine, Summariser, Summary } from '../service.ts'
import { cleanText } from './answer-text.ts'
import { customerSentences, sentencesOf } from './sentences.ts'

/** Of one quotation, in characters. */
const longestQuotation = 300
const fewestWords = 4

const courtesy =
  /^(thank|thanks|hello|hi|hey|good (morning|afternoon|evening)|welcome|goodbye|bye|have a|you have reached|is there anything|you are welcome|one moment|how (can|may) i|what can i do|sorry|i am sorry|i understand)\b/i
const promise = /\b(will|shall|going to|i'll|we'll|you'll|he'll|she'll|they'll|it'll)\b/i

/** Builds the summariser. */
export function createExcerptSummariser(): Summariser {
  return {
    name: 'excerpt',
    summarise: async ({ lines }, signal) => {
      signal.throwIfAborted()
      return { value: excerptOf(lines), use: {}, model: null }
    },
  }
}

/**
 * The customer's first sentence of substance, the agent's last one, and the agent's last promise. A part is empty when
 * nothing of the kind was said.
 */
export function excerptOf(lines: readonly SpokenLine[]): Summary {
  const reason = customerSentences(lines).find(isSubstantial)
  const told = sentencesOf(lines, 'agent').filter(
    (sentence) => isSubstantial(sentence) && !sentence.endsWith('?'),
  )
  const nextStep = told.findLast((sentence) => promise.test(sentence.replaceAll('’', "'")))
  const outcome = told.findLast((sentence) => sentence !== nextStep)
  return {
    reason: quote('The customer said', reason),
    outcome: quote('The agent said', outcome),
    nextStep: quote('The agent said', nextStep),
  }
}

function isSubstantial(sentence: string): boolean {
  const words = sentence.match(/[\p{L}\p{N}'’]+/gu) ?? []
  return words.length >= fewestWords && !courtesy.test(sentence)
}

function quote(who: string, sentence: string | undefined): string {
  return sentence === undefined ? '' : `${who}: “${cleanText(sentence, longestQuotation)}”`
}
