// Says a number as people do: grouped, with dashes, in words, by twos, with "double" and "triple", or all of it mixed.
import type { Random } from '../../../src/random.ts'

const ones = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const teens =
  'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ')
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
const separators = ['', ' ', '-', ' - ', '.', ', ', '/', '\u00a0', '–', '. ', ' uh ', ' and ']

export function pick<T>(random: Random, from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)]
  if (one === undefined) throw new RangeError('nothing to pick from')
  return one
}

/** A number of 13 to 19 digits whose last one is its check digit. */
export function luhnNumber(random: Random): string {
  const length = 12 + Math.floor(random() * 7)
  const digits = Array.from({ length }, () => Math.floor(random() * 10))
  const sum = digits.reduce((total, digit, index) => {
    const doubled = (length - index) % 2 === 1 ? digit * 2 : digit
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return `${digits.join('')}${(10 - (sum % 10)) % 10}`
}

/** A number in one of many spellings. */
export function spell(digits: string, random: Random): string {
  const style = pick(random, ['written', 'spoken', 'mixed'])
  const separator = pick(random, separators)
  const groups: string[] = []
  for (let at = 0; at < digits.length; ) {
    const group = digits.slice(at, at + 1 + Math.floor(random() * 6))
    const isSpoken = style === 'spoken' || (style === 'mixed' && random() < 0.5)
    groups.push(isSpoken ? speak(group, random) : write(group, random))
    at += group.length
  }
  const isAnyWord = style !== 'written'
  return groups.join(isAnyWord && !separator.includes(' ') ? ' ' : separator)
}

function write(digits: string, random: Random): string {
  if (random() < 0.9) return digits
  const zero = pick(random, [0xff10, 0x0660, 0x0966, 0x1d7ce])
  return Array.from(digits, (digit) => String.fromCodePoint(zero + Number(digit))).join('')
}

function speak(digits: string, random: Random): string {
  const words: string[] = []
  for (let at = 0; at < digits.length; ) {
    const [first = 0, second] = Array.from(digits.slice(at, at + 2), Number)
    const isTriple = digits.slice(at, at + 3) === `${first}`.repeat(3)
    if (isTriple && random() < 0.5) {
      words.push(`${pick(random, ['triple', 'treble'])} ${sayDigit(first, random)}`)
      at += 3
    } else if (second === first && random() < 0.5) {
      words.push(`double ${sayDigit(first, random)}`)
      at += 2
    } else if (second !== undefined && first === 1 && random() < 0.5) {
      words.push(teens[second] ?? '')
      at += 2
    } else if (second !== undefined && first > 1 && second > 0 && random() < 0.5) {
      words.push(`${tens[first - 2]}${pick(random, ['-', ' '])}${ones[second]}`)
      at += 2
    } else {
      words.push(sayDigit(first, random))
      at += 1
    }
  }
  const text = words.join(' ')
  return random() < 0.2 ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text
}

function sayDigit(digit: number, random: Random): string {
  return digit === 0 ? pick(random, ['zero', 'oh', 'o']) : (ones[digit] ?? '')
}
