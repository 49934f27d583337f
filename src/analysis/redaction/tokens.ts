// Cuts a text into words, digits and marks in one pass. Digits of any script count as digits; format characters
// that nobody sees (soft hyphens, zero-width spaces) do not separate anything.
import { redactionClasses } from './classes.ts'

/** A piece of an utterance. */
export type Token = {
  readonly kind: 'word' | 'digits' | 'mark' | 'placeholder'
  /** A word in lower case, digits as ASCII, a mark as it is. */
  readonly text: string
  readonly isUpperCase: boolean
  /** Whether nothing stands between this and the token before it in the utterance. */
  readonly touches: boolean
  readonly utterance: number
  /** Index in the list of tokens of the utterance. */
  readonly index: number
  readonly start: number
  readonly end: number
}

const pieces = new RegExp(
  `(?<placeholder>\\[(?:${redactionClasses.join('|')})\\])` +
    String.raw`|(?<digits>\p{Nd}+)|(?<word>[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*)|(?<blank>[\s\p{Cf}]+)|.`,
  'gsu',
)

/** The tokens of a text, in order. Linear in its length. */
export function tokenise(text: string, utterance: number): Token[] {
  const tokens: Token[] = []
  let touches = false
  for (const { 0: piece, index: start, groups = {} } of text.matchAll(pieces)) {
    if (groups.blank !== undefined) {
      touches = touches && !/\s/u.test(piece)
      continue
    }
    const kind = kindOf(groups)
    tokens.push({
      kind,
      text: kind === 'digits' ? asciiDigits(piece) : kind === 'word' ? plainWord(piece) : piece,
      isUpperCase:
        kind === 'word' && piece === piece.toUpperCase() && piece !== piece.toLowerCase(),
      touches,
      utterance,
      index: tokens.length,
      start,
      end: start + piece.length,
    })
    touches = true
  }
  return tokens
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): Token['kind'] {
  if (groups.placeholder !== undefined) return 'placeholder'
  if (groups.digits !== undefined) return 'digits'
  return groups.word === undefined ? 'mark' : 'word'
}

function plainWord(word: string): string {
  return word.toLowerCase().replaceAll('’', "'")
}

function asciiDigits(digits: string): string {
  if (/^[0-9]*$/.test(digits)) return digits
  return Array.from(digits.normalize('NFKC'), asciiDigit).join('')
}

/** Unicode keeps the ten digits of a script in a row, which begins at a multiple of 16 or 6 after it. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0
  const row = code - (code % 16)
  return String(code - row - (/\p{Nd}/u.test(String.fromCodePoint(row)) ? 0 : 6))
}
