// Numbers that count or date something: prices, decimals, times, dates, years, ordinals, digits in words. Nobody is
// called or identified by them.
import type { Token } from './tokens.ts'

const currency = /^\p{Sc}$/u
const joins = /^[.,:/-]$/
const beforeYears = new Set(['in', 'since', 'until', 'year', 'before', 'after', 'en', 'seit', 'im'])
const units = new Set(
  (
    'dollar dollars buck bucks pound pounds euro euros cents pence kronor kroner yen percent seconds minutes ' +
    'hours days weeks months years people miles yards meters metres kilometers kilos grams degrees megabytes ' +
    'gigabytes megabits'
  ).split(' '),
)

/** Whether a word after a number says what it counts. */
export function isUnit(word: string): boolean {
  return units.has(word)
}

/**
 * How many tokens the quantity takes that begins at `tokens[index]`; 0 if none does. Digits joined to thirteen or more
 * are never a quantity.
 */
export function lengthOfQuantity(tokens: readonly Token[], index: number): number {
  const first = tokens[index]
  if (first === undefined) return 0
  if (currency.test(first.text)) return 1 + chainOf(tokens, index + 1).length
  if (first.kind !== 'digits' || isJoined(tokens, index)) return 0
  if (isYear(tokens, index)) return 1
  const chain = chainOf(tokens, index)
  const written = chain.map(({ text }) => text).join('')
  if (written.replaceAll(/[^0-9]/g, '').length >= 13) return 0
  const after = tokens[index + chain.length]
  const isInWord = touchesWord(tokens[index - 1], first) || touchesWord(after, after)
  const isCounted = after !== undefined && (currency.test(after.text) || /^[%‰°]$/.test(after.text))
  return isInWord || isCounted || isQuantity(written) ? chain.length : 0
}

/** Digits joined by dots, commas, colons, slashes or dashes, without a space. */
function chainOf(tokens: readonly Token[], index: number): readonly Token[] {
  let length = tokens[index]?.kind === 'digits' ? 1 : 0
  while (length > 0 && length < 16) {
    const [mark, digits] = [tokens[index + length], tokens[index + length + 1]]
    if (mark?.touches !== true || digits?.touches !== true || digits.kind !== 'digits') break
    if (!joins.test(mark.text)) break
    length += 2
  }
  return tokens.slice(index, index + length)
}

function isJoined(tokens: readonly Token[], index: number): boolean {
  const [before, mark, digits] = [tokens[index - 2], tokens[index - 1], tokens[index]]
  const isMark = mark?.touches === true && digits?.touches === true && joins.test(mark.text)
  return isMark && before?.kind === 'digits'
}

function isYear(tokens: readonly Token[], index: number): boolean {
  const isAfterWord = beforeYears.has(tokens[index - 1]?.text ?? '')
  return isAfterWord && /^(19|20)\d\d$/.test(tokens[index]?.text ?? '')
}

function touchesWord(token: Token | undefined, second: Token | undefined): boolean {
  return token?.kind === 'word' && second?.touches === true
}

function isQuantity(written: string): boolean {
  return (
    /^\d{1,3}([.,]\d{3})+([.,]\d{1,2})?$/.test(written) ||
    /^\d+[.,]\d{1,2}$/.test(written) ||
    /^(0?[1-9]|1[0-2])\/\d{2}(\d{2})?$/.test(written) ||
    /^\d{1,2}(:\d{2}){1,2}$/.test(written) ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(written) ||
    isDate(written)
  )
}

function isDate(written: string): boolean {
  const parts = /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})$/.exec(written)
  if (parts === null) return false
  const [first = '', middle = '', last = ''] = [parts[1], parts[3], parts[4]]
  if (first.length === 4) return Number(middle) <= 12 && last.length <= 2 && Number(last) <= 31
  const [small, large] = [Number(first), Number(middle)].sort((one, other) => one - other)
  const isYear = last.length === 2 || last.length === 4
  return first.length <= 2 && isYear && (small ?? 0) <= 12 && (large ?? 0) <= 31
}
