// Numbers that a state gives its people, and of banks their accounts (IBAN). Whether one is well formed, and whether its
// check digits are right, is the library's business; how sure its form alone makes us is ours.
import { vnr } from 'stdnum/lib/cjs/at/index.js'
import { nn } from 'stdnum/lib/cjs/be/index.js'
import { ssn as ahv } from 'stdnum/lib/cjs/ch/index.js'
import { idnr } from 'stdnum/lib/cjs/de/index.js'
import { cpr } from 'stdnum/lib/cjs/dk/index.js'
import { dni, nie } from 'stdnum/lib/cjs/es/index.js'
import { hetu } from 'stdnum/lib/cjs/fi/index.js'
import { nir } from 'stdnum/lib/cjs/fr/index.js'
import { nino } from 'stdnum/lib/cjs/gb/index.js'
import { pps } from 'stdnum/lib/cjs/ie/index.js'
import { codicefiscale } from 'stdnum/lib/cjs/it/index.js'
import { bsn } from 'stdnum/lib/cjs/nl/index.js'
import { fodselsnummer } from 'stdnum/lib/cjs/no/index.js'
import { pesel } from 'stdnum/lib/cjs/pl/index.js'
import { nif } from 'stdnum/lib/cjs/pt/index.js'
import { personnummer } from 'stdnum/lib/cjs/se/index.js'
import { ssn } from 'stdnum/lib/cjs/us/index.js'
import { type Atom, cut, type Run, textOf } from './runs.ts'
import { nearest, type Topics } from './topics.ts'

type Validator = { readonly validate: (value: string) => { readonly isValid: boolean } }

/** Of digits only. `groups`: how it is written; then no word needs to say what it is. */
type Numeric = { readonly validator: Validator; readonly digits: number; readonly groups?: RegExp }

const numeric: readonly Numeric[] = [
  { validator: ssn, digits: 9, groups: /^3-2-4$/ },
  { validator: nir, digits: 15, groups: /^/ },
  { validator: bsn, digits: 9 },
  { validator: nif, digits: 9 },
  { validator: idnr, digits: 11, groups: /^2-3-3-3$/ },
  { validator: pesel, digits: 11 },
  { validator: nn, digits: 11, groups: /^2-2-2-3-2$/ },
  { validator: personnummer, digits: 10, groups: /^6-4$/ },
  { validator: hetu, digits: 10, groups: /^6-4$/ },
  { validator: cpr, digits: 10, groups: /^6-4$/ },
  { validator: fodselsnummer, digits: 11, groups: /^6-5$/ },
  { validator: vnr, digits: 10, groups: /^4-6$/ },
  { validator: ahv, digits: 13, groups: /^3-4-4-2$/ },
]

/** With letters. `isSure`: the form or the check is so rare that no word needs to say what it is. */
type Lettered = { readonly validator: Validator; readonly form: RegExp; readonly isSure: boolean }

const lettered: readonly Lettered[] = [
  { validator: nino, form: /^[A-Z]{2}\d{6}[A-D]$/, isSure: true },
  { validator: dni, form: /^\d{8}[A-Z]$/, isSure: true },
  { validator: nie, form: /^[XYZ]\d{7}[A-Z]$/, isSure: true },
  { validator: codicefiscale, form: /^[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]$/, isSure: true },
  { validator: hetu, form: /^\d{6}(?:\d{3}[A-Y]|[A-FU-Y]\d{3}[0-9A-Y])$/, isSure: true },
  { validator: pps, form: /^\d{7}[A-W][A-IW]?$/, isSure: false },
  { validator: nir, form: /^[12]\d{4}2[AB]\d{8}$/, isSure: true },
]

/** The national ids in a run of digits. */
export function findNumericIds(run: Run, topics: Topics): (readonly Atom[])[] {
  if (isNumericId(run, topics)) return [run.atoms]
  return cut(run)
    .filter((part) => isNumericId(part, topics))
    .map(({ atoms }) => atoms)
}

function isNumericId({ atoms, plus }: Run, topics: Topics): boolean {
  const [first] = atoms
  const digits = textOf(atoms)
  if (first === undefined || plus !== undefined || digits.length < 4 || digits.length > 15)
    return false
  const isSaid = nearest(topics.before(first.first), ['card', 'email', 'cvv']) === 'national_id'
  // "The last four of your social", and nine digits that were misheard.
  if (isSaid && (digits.length === 4 || digits.length === 9)) return true
  const groups = atoms.map(({ text }) => text.length).join('-')
  return numeric.some(
    (id) =>
      id.digits === digits.length &&
      (isSaid || id.groups?.test(groups) === true) &&
      id.validator.validate(withSign(id, digits)).isValid,
  )
}

/** Swedish and Finnish numbers have a sign of the century after the date, which is lost between groups. */
function withSign({ validator }: { readonly validator: Validator }, text: string): string {
  const needsSign = validator === personnummer || validator === hetu
  return needsSign && text.length === 10 ? `${text.slice(0, 6)}-${text.slice(6)}` : text
}

/** The national ids in a run of letters and digits. */
export function findLetteredIds(run: Run, topics: Topics): (readonly Atom[])[] {
  return windows(run, 16, (text, first) =>
    lettered.some((id) => {
      if (!id.form.test(text) || !id.validator.validate(withSign(id, text)).isValid) return false
      const topic = nearest(topics.before(first.first), ['card', 'email', 'cvv', 'phone'])
      return topic === 'national_id' || (id.isSure && topic === undefined)
    }),
  )
}

/** The IBANs in a run of letters and digits. */
export function findIbans(run: Run): (readonly Atom[])[] {
  return windows(run, 34, (text) => /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text) && isMod97(text))
}

/** The longest stretches of so many letters and digits, from group to group, that are what is looked for. */
function windows(
  { atoms }: Run,
  most: number,
  isFound: (text: string, first: Atom) => boolean,
): (readonly Atom[])[] {
  const found: (readonly Atom[])[] = []
  for (let index = 0; index < atoms.length; ) {
    const first = atoms[index]
    let text = ''
    let end = index
    for (let next = index; first !== undefined && next < atoms.length; next += 1) {
      text += atoms[next]?.text ?? ''
      if (text.length > most) break
      if (text.length >= 8 && isFound(text, first)) end = next + 1
    }
    if (end > index) found.push(atoms.slice(index, end))
    index = Math.max(end, index + 1)
  }
  return found
}

function isMod97(iban: string): boolean {
  let rest = 0
  for (const sign of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(sign, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
