// Phone numbers: what a numbering plan allows, unless the words before say that it is something else.
import { type CountryCode, isPossiblePhoneNumber, isValidPhoneNumber } from 'libphonenumber-js/min'
import { type Atom, cut, type Run, textOf } from './runs.ts'
import { nearest, type Topics } from './topics.ts'

/** Where numbers begin with 0, so that they are told apart from others without a word. */
const withZero: readonly CountryCode[] = [
  'GB',
  'FR',
  'DE',
  'NL',
  'IE',
  'IT',
  'AU',
  'BE',
  'CH',
  'AT',
]
/** Where they do not: these are phone numbers only if they are said to be. */
const withoutZero: readonly CountryCode[] = ['US', 'ES', 'PT', 'PL', 'DK', 'NO', 'CZ', 'GR']

/** The phone numbers in a run of digits. */
export function findPhones(run: Run, topics: Topics): (readonly Atom[])[] {
  if (isPhone(run, topics)) return [run.atoms]
  return cut(run)
    .filter((part) => isPhone(part, topics))
    .map(({ atoms }) => atoms)
}

/** Whether a run is a number with its country: "+44 …", "0044 …", "011 44 …". */
export function isInternational({ atoms, plus }: Run): boolean {
  const digits = textOf(atoms)
  if (digits.length < 7 || digits.length > 18) return false
  const number = plus !== undefined ? digits : /^(?:00|011)([1-9]\d*)$/.exec(digits)?.[1]
  return number !== undefined && isPossiblePhoneNumber(`+${number}`)
}

function isPhone(run: Run, topics: Topics): boolean {
  const [first] = run.atoms
  const digits = textOf(run.atoms)
  if (first === undefined) return false
  if (isInternational(run)) return true
  if (digits.length < 7 || digits.length > 15) return false
  const topic = nearest(topics.before(first.first), ['email', 'cvv', 'card'])
  if (topic === 'phone') return isPhoneIfSaidSo(digits)
  if (topic !== undefined && !isWrittenAsPhone(run)) return false
  if (digits.startsWith('0') && digits.length >= 9)
    return withZero.some((country) => isValidPhoneNumber(digits, country))
  return /^1?[2-9]\d{9}$/.test(digits) && isValidPhoneNumber(digits, 'US')
}

/** "(415) 555-2671", "415.555.2671": nothing else is written like this. */
function isWrittenAsPhone({ atoms }: Run): boolean {
  const groups = atoms.map(({ text }) => text.length).join('-')
  return groups === '3-3-4' && atoms[2]?.first.touches === true
}

/** Seven digits are a local number in North America. */
function isPhoneIfSaidSo(digits: string): boolean {
  if (digits.length === 7 || isPossiblePhoneNumber(`+${digits}`)) return true
  return [...withZero, ...withoutZero].some((country) => isPossiblePhoneNumber(digits, country))
}
