// Numbers that belong together: the groups of digits (or letters) that a speaker says one after the other.

import type { Span } from './classes.ts'
import { isConnector } from './conversation.ts'
import { isZeroLetter, readNumber } from './number-words.ts'
import { isUnit, lengthOfQuantity } from './quantities.ts'
import type { Token } from './tokens.ts'

/** A group: digits as they are written or spoken at once, or letters. */
export type Atom = {
  readonly text: string
  /** What a spoken number says if nothing is added up. */
  readonly apart: string
  readonly isSpoken: boolean
  /** A lone "oh", which may be a zero or a sigh. Only in runs of `all`. */
  readonly isDoubtful: boolean
  /** More than a space or a dash stands before it: a comma, a word, the end of an utterance. */
  readonly isAfterPause: boolean
  readonly first: Token
  readonly last: Token
}

/** Groups in a row, at least one. `plus`: the "+" or "plus" before them. */
export type Run = { readonly atoms: readonly Atom[]; readonly plus: Token | undefined }

/**
 * `all`: digits, whatever they may mean, for what must never slip through.
 * `plain`: digits, but no prices, dates, times, ordinals or digits in words.
 * `codes`: digits, and letters said or written one by one or together with digits.
 */
export type RunKind = 'all' | 'plain' | 'codes'

/** The runs of what one speaker says. Linear in its length. */
export function findRuns(chain: readonly (readonly Token[])[], kind: RunKind): Run[] {
  const runs: Run[] = []
  let atoms: Atom[] = []
  let plus: Token | undefined
  let isAfterPause = true
  const end = () => {
    if (atoms.length > 0) runs.push({ atoms, plus })
    atoms = []
    plus = undefined
    isAfterPause = false
  }
  for (const tokens of chain) {
    isAfterPause = true
    for (let index = 0; index < tokens.length; ) {
      const token = tokens[index]
      if (token === undefined) break
      const quantity = kind === 'plain' ? lengthOfQuantity(tokens, index) : 0
      const atom =
        quantity > 0 ? undefined : readAtom(tokens, index, kind, atoms.at(-1), isAfterPause)
      if (quantity > 0) end()
      if (atom !== undefined) {
        atoms.push(atom)
        isAfterPause = false
      } else if (token.text === '+' || (token.text === 'plus' && token.kind === 'word')) {
        end()
        plus = token
      } else if (separators.has(token.text)) isAfterPause ||= isPause(tokens, token)
      else if (isConnector(token.text)) isAfterPause = true
      else if (quantity === 0) {
        const isShort = !isAfterPause && textOf(atoms).length < 7
        if (kind === 'plain' && isShort && isUnit(token.text)) atoms = []
        end()
      }
      index = atom === undefined ? index + Math.max(1, quantity) : atom.last.index + 1
    }
  }
  end()
  return runs
}

const pauses = new Set([...',.;!?…', '·', '•'])
const separators = new Set([...pauses, ...'-‐‑‒–—―−_/\\()[]\'"“”’'])

function isPause(tokens: readonly Token[], { text, index }: Token): boolean {
  return pauses.has(text) && tokens[index + 1]?.touches !== true
}

function readAtom(
  tokens: readonly Token[],
  index: number,
  kind: RunKind,
  before: Atom | undefined,
  isAfterPause: boolean,
): Atom | undefined {
  const first = tokens[index]
  if (first === undefined) return undefined
  const goesOn = before !== undefined && before.last === tokens[index - 1]
  const number = readNumber(tokens, index, goesOn)
  const last = tokens[index + (number?.length ?? 1) - 1] ?? first
  const place = { isSpoken: first.kind === 'word', isDoubtful: false, isAfterPause, first, last }
  if (number !== undefined) return { ...place, text: number.digits, apart: number.apart }
  if (kind === 'all' && isZeroLetter(first.text))
    return { ...place, text: '0', apart: '0', isDoubtful: true }
  if (kind !== 'codes' || !isCode(tokens, first)) return undefined
  const text = first.text.toUpperCase()
  return { ...place, text, apart: text }
}

/** Letters that can be part of a code: a single one, a few capitals, or what touches a digit. */
function isCode(
  tokens: readonly Token[],
  { kind, text, isUpperCase, touches, index }: Token,
): boolean {
  if (kind !== 'word' || !/^[a-z]{1,6}$/.test(text)) return false
  const isBetween = touches && tokens[index - 1]?.kind === 'digits'
  const next = tokens[index + 1]
  const touchesNext = next?.touches === true && next.kind === 'digits'
  return text.length === 1 || isBetween || touchesNext || (isUpperCase && text.length <= 4)
}

/** The digits (or letters) of groups, one after the other. */
export function textOf(atoms: readonly Atom[]): string {
  return atoms.map(({ text }) => text).join('')
}

/** The run cut at its pauses, and where it changes between written and spoken. */
export function cut(run: Run): Run[] {
  const parts: Atom[][] = []
  for (const atom of run.atoms) {
    const part = parts.at(-1)
    const before = part?.at(-1)
    if (part === undefined || before === undefined) parts.push([atom])
    else if (atom.isAfterPause || atom.isSpoken !== before.isSpoken) parts.push([atom])
    else part.push(atom)
  }
  return parts.map((atoms, index) => ({ atoms, plus: index === 0 ? run.plus : undefined }))
}

/** Where groups stand, with the plus if they are the first of their run. */
export function placeOf({ atoms: all, plus }: Run, atoms: readonly Atom[]): Span[] {
  const tokens = atoms.flatMap(({ first, last }) => [first, last])
  return spansOf(plus !== undefined && atoms[0] === all[0] ? [plus, ...tokens] : tokens)
}

/** Where tokens stand: one stretch for each utterance that they are in. */
export function spansOf(tokens: readonly Token[]): Span[] {
  const spans: Span[] = []
  for (const { utterance, start, end } of tokens) {
    const span = spans.at(-1)
    if (span?.utterance === utterance) spans[spans.length - 1] = { ...span, end }
    else spans.push({ utterance, start, end })
  }
  return spans
}
