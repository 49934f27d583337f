// E-mail addresses, written or spoken: "john dot smith at example dot com".
import type { Span } from './classes.ts'
import { isNumberWord } from './number-words.ts'
import { spansOf } from './runs.ts'
import type { Token } from './tokens.ts'
import { nearest, type Topics } from './topics.ts'

const dots = new Set(['dot', 'period', 'punkt', 'punto', 'point'])
const joiners = new Set([...dots, 'underscore', 'dash', 'hyphen', 'minus', 'plus'])
const writtenJoiners = /^[._%+\-'&]$/
const topLevel = new Set(
  (
    'com org net edu gov mil info biz io co uk de fr es it nl be at ch pt pl ie se no dk fi eu us ca au nz ' +
    'in jp cn br mx ru cz gr hu ro me tv ai app dev cloud online shop name example test'
  ).split(' '),
)
/** Before "at", these make a place of what follows: "visit us at example dot com". */
const notNames = new Set(
  (
    'a am are available bad be been bought buy call came found get go good got great help her here him i ' +
    "information is it it's look looked looking me meet online order ordered page reach saw see shop site " +
    'store that the them there they up us visit was website were work worked working you'
  ).split(' '),
)
/** What stands before an address that is read out: "my email is john smith at …". */
const introductions = new Set(['is', "it's", "that's", 'to', 'on', 'at', 'use', 'would', 'be'])
const longest = 64

/** The addresses in what one speaker says. Linear in its length. */
export function findEmails(chain: readonly (readonly Token[])[], topics: Topics): Span[][] {
  const tokens = chain.flat()
  const found: Span[][] = []
  let end = 0
  for (const [index, token] of tokens.entries()) {
    const isSign = token.text === '@'
    if (index < end || !(isSign || (token.kind === 'word' && token.text === 'at'))) continue
    const after = endOfDomain(tokens, index + 1, isSign)
    const before = after === undefined ? undefined : startOfName(tokens, index, end, topics)
    if (after === undefined || before === undefined) continue
    found.push(spansOf(tokens.slice(before, after)))
    end = after
  }
  return found
}

/** The index after the domain that begins at `tokens[start]`; undefined if there is none. */
function endOfDomain(
  tokens: readonly Token[],
  start: number,
  isWritten: boolean,
): number | undefined {
  let end: number | undefined
  let index = start
  for (let label = 0; label < 8; label += 1) {
    const next = endOfLabel(tokens, index, label > 0 || isWritten)
    if (next === index) break
    const last = lastOfLabel(tokens.slice(index, next))
    const isKnown = topLevel.has(last) || (isWritten && /^\p{L}{2,}$/u.test(last))
    if (label > 0 && isKnown) end = next
    if (!isDot(tokens, next)) break
    index = next + 1
  }
  return end
}

/** "com", also when it is spelled: "c o m". */
function lastOfLabel(label: readonly Token[]): string {
  const isSpelled = label.every(({ text }) => text.length === 1)
  return isSpelled ? label.map(({ text }) => text).join('') : (label.at(-1)?.text ?? '')
}

/** "mycompany", "my company" (before the first dot), "g m x": the words and dashes up to the next dot. */
function endOfLabel(tokens: readonly Token[], start: number, isOneWord: boolean): number {
  let index = start
  for (let words = 0; index - start < 24; index += 1) {
    const [before, token] = [tokens[index - 1], tokens[index]]
    if (token === undefined || (index > start && dots.has(token.text))) break
    const isDash = token.text === '-' && token.touches
    if (!isDash && !isItem(token)) break
    const isJoined = token.touches || before?.text === '-'
    const isSpelled = before !== undefined && isLetter(before) && isLetter(token)
    if (index > start && !isJoined && !isSpelled) words += 1
    if (words > (isOneWord ? 0 : 2)) break
  }
  return index
}

function isDot(tokens: readonly Token[], index: number): boolean {
  const [token, next] = [tokens[index], tokens[index + 1]]
  if (token === undefined || next === undefined) return false
  return token.text === '.' ? token.touches && next.touches : dots.has(token.text)
}

/** The index where the name begins that ends before `tokens[at]`; undefined if that is none. */
function startOfName(
  tokens: readonly Token[],
  at: number,
  earliest: number,
  topics: Topics,
): number | undefined {
  const [sign, last] = [tokens[at], tokens[at - 1]]
  if (sign === undefined || last === undefined || at - 1 < earliest) return undefined
  const limit = Math.max(earliest, at - longest)
  let start = isItem(last) || (sign.touches && writtenJoiners.test(last.text)) ? at - 1 : at
  while (start < at && start > limit && belongsTo(tokens, start)) start -= 1
  while (start < at && !isItem(tokens[start])) start += 1
  if (start === at) return undefined
  const isAsked = nearest(topics.before(sign), ['phone', 'card']) === 'email'
  if (sign.text === '@') return start
  if (isAsked) return startOfFullName(tokens, start, limit)
  return start === at - 1 && notNames.has(last.text) ? undefined : start
}

/** Whether the token before `tokens[start]` is part of the same name. */
function belongsTo(tokens: readonly Token[], start: number): boolean {
  const [token, before] = [tokens[start], tokens[start - 1]]
  if (token === undefined || before === undefined) return false
  if (isItem(before) && token.touches) return true
  if (before.kind === 'mark')
    return writtenJoiners.test(before.text) && (token.touches || before.touches)
  if (!isItem(before)) return false
  if (joiners.has(before.text) || token.kind === 'mark')
    return start > 1 && isItem(tokens[start - 2])
  if (joiners.has(token.text)) return true
  if (isNumber(token)) return isNumber(before) || !notNames.has(before.text)
  return isLetter(token) && isLetter(before)
}

/** "My email is john smith at": all words after the introduction, if there are at most four of them. */
function startOfFullName(tokens: readonly Token[], start: number, limit: number): number {
  for (let index = start - 1; index >= limit && index >= start - 4; index -= 1) {
    const token = tokens[index]
    if (token === undefined) break
    if (introductions.has(token.text) || token.kind === 'mark') return index + 1
    if (index === 0) return 0
  }
  return start
}

function isItem(token: Token | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'digits'
}

function isNumber({ kind, text }: Token): boolean {
  return kind === 'digits' || isNumberWord(text)
}

function isLetter({ kind, text }: Token): boolean {
  return kind === 'word' && ([...text].length === 1 || text === 'double')
}
