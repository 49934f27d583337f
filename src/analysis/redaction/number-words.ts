// Reads numbers as people say them in English: "four one", "double oh", "forty-one eleven", "eight hundred".
import type { Token } from './tokens.ts'

/** A number that begins at a token. */
export type SpokenNumber = {
  readonly digits: string
  /** The same with nothing added up: "eight hundred five" is 805, or 800 and 5. */
  readonly apart: string
  /** How many tokens it takes. */
  readonly length: number
}

const ones = 'one two three four five six seven eight nine'.split(' ')
const teens =
  'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ')
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

const digitWords = new Map<string, number>([
  ...ones.map((word, index): [string, number] => [word, index + 1]),
  ['zero', 0],
  ['nought', 0],
  ['naught', 0],
  ['niner', 9],
])
const twoDigitWords = new Map<string, number>(
  teens.map((word, index): [string, number] => [word, index + 10]),
)
const tensWords = new Map<string, number>([
  ...tens.map((word, index): [string, number] => [word, index * 10 + 20]),
  ['fourty', 40],
])
const zeroLetters = new Set(['oh', 'o', 'nil'])
const repeats = new Map<string, number>([
  ['double', 2],
  ['triple', 3],
  ['treble', 3],
  ['quadruple', 4],
])
const soundAlikes = new Map<string, string>([
  ['for', '4'],
  ['to', '2'],
  ['too', '2'],
  ['won', '1'],
  ['ate', '8'],
])

/** Whether a word is a zero among digits, and no number by itself. */
export function isZeroLetter(word: string): boolean {
  return zeroLetters.has(word)
}

/** Whether a word can be part of a number that is spoken. */
export function isNumberWord(word: string): boolean {
  return (
    digitWords.has(word) ||
    twoDigitWords.has(word) ||
    tensWords.has(word) ||
    zeroLetters.has(word) ||
    repeats.has(word)
  )
}

/**
 * The number that begins at `tokens[index]`, written or spoken; undefined if none does.
 * @param goesOn whether a number ended right before: "oh" and "for" are digits only among digits
 */
export function readNumber(
  tokens: readonly Token[],
  index: number,
  goesOn: boolean,
): SpokenNumber | undefined {
  const token = tokens[index]
  if (token?.kind === 'digits') return { digits: token.text, apart: token.text, length: 1 }
  if (token?.kind !== 'word') return undefined
  return (
    readRepeated(tokens, index) ??
    readCardinal(tokens, index) ??
    (readsAsDigit(tokens, index, goesOn)
      ? single(zeroLetters.has(token.text) ? '0' : (soundAlikes.get(token.text) ?? ''))
      : undefined)
  )
}

function single(digit: string): SpokenNumber {
  return { digits: digit, apart: digit, length: 1 }
}

function readsAsDigit(tokens: readonly Token[], index: number, goesOn: boolean): boolean {
  const text = tokens[index]?.text ?? ''
  const next = tokens[skipHyphen(tokens, index + 1)]
  const after = next?.text ?? ''
  if (zeroLetters.has(text)) return goesOn || next?.kind === 'digits' || isNumberWord(after)
  const before = tokens[index - 1]?.text ?? ''
  return soundAlikes.has(text) && goesOn && digitWords.has(before) && digitWords.has(after)
}

function readRepeated(tokens: readonly Token[], index: number): SpokenNumber | undefined {
  const times = repeats.get(tokens[index]?.text ?? '')
  if (times === undefined) return undefined
  const at = skipHyphen(tokens, index + 1)
  const token = tokens[at]
  const digit =
    token?.kind === 'digits' && token.text.length === 1
      ? token.text
      : zeroLetters.has(token?.text ?? '')
        ? '0'
        : digitWords.get(token?.text ?? '')?.toString()
  if (digit === undefined) return undefined
  const digits = digit.repeat(times)
  return { digits, apart: digits, length: at + 1 - index }
}

/** Up to 999,999: a group below a thousand, "thousand", and another group. */
function readCardinal(tokens: readonly Token[], index: number): SpokenNumber | undefined {
  const group = readGroup(tokens, index)
  if (group === undefined || tokens[index + group.length]?.text !== 'thousand') return group
  const thousand = index + group.length + 1
  const and = tokens[thousand]?.text === 'and' ? 1 : 0
  const rest = readGroup(tokens, thousand + and)
  const value = Number(group.digits) * 1000
  if (rest === undefined || rest.digits === '0')
    return { digits: String(value), apart: `${group.apart}000`, length: group.length + 1 }
  return {
    digits: String(value + Number(rest.digits)),
    apart: `${group.apart}000${rest.apart}`,
    length: group.length + 1 + and + rest.length,
  }
}

function readGroup(tokens: readonly Token[], index: number): SpokenNumber | undefined {
  const small = readSmall(tokens, index)
  if (small === undefined || tokens[index + small.length]?.text !== 'hundred') return small
  const hundred = index + small.length + 1
  const and = tokens[hundred]?.text === 'and' ? 1 : 0
  const rest = readSmall(tokens, hundred + and)
  const value = Number(small.digits) * 100
  // "Eight hundred five five five" goes on digit by digit; "eight hundred and five" does not.
  const isCounted = rest !== undefined && (and === 1 || rest.digits.length === 2)
  if (!isCounted)
    return { digits: String(value), apart: `${small.apart}00`, length: small.length + 1 }
  return {
    digits: String(value + Number(rest.digits)),
    apart: `${small.apart}00${rest.apart}`,
    length: small.length + 1 + and + rest.length,
  }
}

function readSmall(tokens: readonly Token[], index: number): SpokenNumber | undefined {
  const text = tokens[index]?.text ?? ''
  const plain = digitWords.get(text) ?? twoDigitWords.get(text)
  if (plain !== undefined) return single(String(plain))
  const ten = tensWords.get(text)
  if (ten === undefined) return undefined
  const at = skipHyphen(tokens, index + 1)
  const one = digitWords.get(tokens[at]?.text ?? '')
  if (one === undefined || one === 0) return single(String(ten))
  return { digits: String(ten + one), apart: `${ten}${one}`, length: at + 1 - index }
}

function skipHyphen(tokens: readonly Token[], index: number): number {
  return /^[-‐‑]$/u.test(tokens[index]?.text ?? '') ? index + 1 : index
}
