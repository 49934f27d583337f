// A call as the finders see it: tokens by utterance, and chains: what one speaker says while the other only says
// "yes" or repeats digits, so that a number dictated in pieces is one number.
import type { TrackUtterance } from './classes.ts'
import { isNumberWord } from './number-words.ts'
import { type Token, tokenise } from './tokens.ts'

/** Tokens by utterance, and which utterances follow each other as if nobody else had spoken. */
export type Conversation = {
  readonly tokens: readonly (readonly Token[])[]
  readonly chains: readonly (readonly (readonly Token[])[])[]
}

const fillers = new Set(
  (
    'a ah alright and capital correct continue dash digits er erm exactly fine five four go good got great ' +
    'ahead hm hmm huh hyphen i it last mhm mm next of ok okay on perfect please rest right slash so space ' +
    "sure thank thanks that's the then uh uhm um up with yeah yep yes you what's"
  ).split(' '),
)

/** What may stand between the pieces of one number. */
const connectors = new Set(
  (
    'ah alright and correct dash er erm hm hmm huh hyphen mhm mm next o oh ok okay perfect right slash so space ' +
    "sure thanks that's then uh uhm um yeah yep yes"
  ).split(' '),
)

/** Whether a word may stand between the pieces of one number. */
export function isConnector(word: string): boolean {
  return connectors.has(word)
}

/** Takes a call apart. Linear in its length. */
export function readConversation(
  utterances: readonly Pick<TrackUtterance, 'text' | 'track'>[],
): Conversation {
  const tokens = utterances.map(({ text }, index) => tokenise(text, index))
  const chains: (readonly Token[])[][] = []
  const open = new Map<string, (readonly Token[])[]>()
  for (const [index, { track }] of utterances.entries()) {
    const said = tokens[index] ?? []
    const chain = open.get(track) ?? []
    if (!said.every(isBackchannel)) open.clear()
    if (chain.length === 0) chains.push(chain)
    chain.push(said)
    open.set(track, chain)
  }
  return { tokens, chains }
}

/** "Mhm", "and the last four?", digits that are repeated: whoever says it does not take the floor. */
function isBackchannel({ kind, text }: Token): boolean {
  return kind !== 'word' || fillers.has(text) || isNumberWord(text)
}
