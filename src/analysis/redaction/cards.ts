// Card numbers: 13 to 19 digits with the check digit of Luhn, however they are grouped, said or split; and the three
// or four digits of their security codes, which nothing but the words around them gives away.
import { type Atom, cut, type Run, textOf } from './runs.ts'
import { nearest, type Topics } from './topics.ts'

/**
 * The card numbers in a run of digits. A valid one is found whatever it is said to be: order numbers that pass for a card
 * are masked too. One that is said to be a card's is found even if it was misheard.
 */
export function findCards(run: Run, topics: Topics): (readonly Atom[])[] {
  const atoms = run.atoms.filter(({ isDoubtful }) => !isDoubtful)
  if (isCard(run.atoms) || isCard(atoms)) return [run.atoms]
  const inside = cardsInside(atoms)
  if (inside.length > 0) return inside
  const parts = cut({ ...run, atoms }).map((part) => part.atoms)
  const whole = parts.filter(isCard)
  if (whole.length > 0) return whole
  const [first] = atoms
  const isSaid = first !== undefined && nearest(topics.before(first.first), ['cvv']) === 'card'
  return isSaid ? [atoms, ...parts].filter(hasCardLength).slice(0, 1) : []
}

/** The security codes in a run of digits, if the words before or right after it ask for one. */
export function findSecurityCodes(run: Run, topics: Topics): (readonly Atom[])[] {
  const [first] = run.atoms
  const last = run.atoms.at(-1)
  if (first === undefined || last === undefined) return []
  const isAsked = nearest(topics.before(first.first), ['card']) === 'cvv'
  if (!isAsked && !topics.isAfter(last.last, 'cvv')) return []
  const isCode = ({ atoms }: Run) => /^\d{3,4}$/.test(textOf(atoms))
  return (isCode(run) ? [run] : cut(run).filter(isCode)).map(({ atoms }) => atoms)
}

/** Whether the check digit is right (Luhn). */
export function isLuhn(digits: string): boolean {
  let sum = 0
  for (let back = 0; back < digits.length; back += 1) {
    const digit = Number(digits.at(-1 - back)) * (1 + (back % 2))
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

function hasCardLength(atoms: readonly Atom[]): boolean {
  const { length } = textOf(atoms)
  return length >= 13 && length <= 19
}

function isCard(atoms: readonly Atom[]): boolean {
  return [textOf(atoms), atoms.map(({ apart }) => apart).join('')].some(
    (digits) => digits.length >= 13 && digits.length <= 19 && isLuhn(digits),
  )
}

/** Cards among other digits: these must begin like a card, or every tenth long number would hold one. */
function cardsInside(atoms: readonly Atom[]): (readonly Atom[])[] {
  const found: (readonly Atom[])[] = []
  for (let index = 0; index < atoms.length; ) {
    const card = cardAt(atoms, index)
    if (card !== undefined) found.push(card)
    index += card?.length ?? 1
  }
  return found
}

function cardAt(atoms: readonly Atom[], index: number): readonly Atom[] | undefined {
  const first = atoms[index]
  if (first === undefined) return undefined
  if (first.text.length > 19) return holdsCard(first.text) ? [first] : undefined
  if (!/^[2-6]/.test(first.text)) return undefined
  for (const reading of ['text', 'apart'] as const) {
    let digits = ''
    for (let end = index; end < atoms.length && digits.length < 19; end += 1) {
      digits += atoms[end]?.[reading] ?? ''
      if (isIssued(digits) && isLuhn(digits)) return atoms.slice(index, end + 1)
    }
  }
  return undefined
}

function holdsCard(digits: string): boolean {
  for (let start = 0; start <= digits.length - 13; start += 1)
    for (const length of [14, 15, 16, 19]) {
      const part = digits.slice(start, start + length)
      if (part.length === length && isIssued(part) && isLuhn(part)) return true
    }
  return false
}

/** Whether a number begins like one of the large issuers' and is as long as theirs. */
function isIssued(digits: string): boolean {
  switch (digits.length) {
    case 13:
      return digits.startsWith('4')
    case 14:
      return /^3[0689]/.test(digits)
    case 15:
      return /^3[47]/.test(digits)
    case 16:
      return /^(4|5[0-8]|6|35|2[2-7])/.test(digits)
    case 19:
      return /^(4|6)/.test(digits)
    default:
      return false
  }
}
