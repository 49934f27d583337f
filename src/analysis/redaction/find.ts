// Finds everything that may have to be redacted in a call, the surest first: what is part of one finding is no part of
// another.
import { findCards, findSecurityCodes } from './cards.ts'
import type { RedactionClass, Span, TrackUtterance } from './classes.ts'
import { readConversation } from './conversation.ts'
import { findEmails } from './emails.ts'
import { findIbans, findLetteredIds, findNumericIds } from './national-ids.ts'
import { findPhones, isInternational } from './phones.ts'
import { type Atom, findRuns, placeOf, type Run, type RunKind } from './runs.ts'
import { readTopics, type Topics } from './topics.ts'

/** Something found: one stretch of text for each utterance that it is in. */
export type Found = { readonly class: RedactionClass; readonly spans: readonly Span[] }

type Step = {
  readonly class: RedactionClass
  readonly runs: RunKind
  readonly find: (run: Run, topics: Topics) => readonly (readonly Atom[])[]
}

const steps: readonly Step[] = [
  { class: 'iban', runs: 'codes', find: findIbans },
  { class: 'phone', runs: 'plain', find: (run) => (isInternational(run) ? [run.atoms] : []) },
  { class: 'card', runs: 'all', find: findCards },
  { class: 'national_id', runs: 'codes', find: findLetteredIds },
  { class: 'cvv', runs: 'plain', find: findSecurityCodes },
  { class: 'national_id', runs: 'plain', find: findNumericIds },
  { class: 'phone', runs: 'plain', find: findPhones },
]

/** Everything that is found in a call, whatever its mode. Linear in its length. */
export function findAll(utterances: readonly Pick<TrackUtterance, 'text' | 'track'>[]): Found[] {
  const conversation = readConversation(utterances)
  const { chains } = conversation
  const topics = readTopics(conversation)
  const runs = {
    all: chains.flatMap((chain) => findRuns(chain, 'all')),
    plain: chains.flatMap((chain) => findRuns(chain, 'plain')),
    codes: chains.flatMap((chain) => findRuns(chain, 'codes')),
  }
  const found: Found[] = []
  const free = freeText(utterances.map(({ text }) => text.length))
  const add = (name: RedactionClass, spans: readonly Span[]) => {
    // A card is never left half for the sake of another finding.
    const isTaken = spans.some((span) => !free.isFree(span))
    const left = name === 'card' ? spans.flatMap(free.partsOf) : isTaken ? [] : spans
    if (left.length > 0) found.push({ class: name, spans: left })
    left.forEach(free.take)
  }
  for (const chain of chains) for (const spans of findEmails(chain, topics)) add('email', spans)
  for (const step of steps)
    for (const run of runs[step.runs])
      for (const atoms of step.find(run, topics)) add(step.class, placeOf(run, atoms))
  return found
}

/** What of each text is not part of a finding yet. */
function freeText(lengths: readonly number[]) {
  const taken = lengths.map((length) => new Uint8Array(length))
  const stretch = ({ utterance, start, end }: Span) =>
    (taken[utterance] ?? new Uint8Array()).subarray(start, end)
  return {
    isFree: (span: Span) => !stretch(span).includes(1),
    take: (span: Span) => void stretch(span).fill(1),
    partsOf: (span: Span): Span[] => {
      const parts: Span[] = []
      const signs = stretch(span)
      for (let start = signs.indexOf(0); start >= 0; ) {
        const next = signs.indexOf(1, start)
        const end = next < 0 ? signs.length : next
        parts.push({ ...span, start: span.start + start, end: span.start + end })
        start = next < 0 ? -1 : signs.indexOf(0, next)
      }
      return parts
    },
  }
}
