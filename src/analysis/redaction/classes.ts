// What is redacted, how, and what is said about it afterwards. The words that every file of this folder uses.
import type { Utterance } from '../service.ts'

/** What a caller may say that nobody needs to read later. */
export const redactionClasses = ['card', 'cvv', 'national_id', 'iban', 'email', 'phone'] as const

/** One of {@link redactionClasses}. */
export type RedactionClass = (typeof redactionClasses)[number]

/** `off`: it stays. `mask`: a word in brackets takes its place. `remove`: nothing takes its place. */
export type RedactionMode = 'off' | 'mask' | 'remove'

/** What is done with each class. */
export type RedactionModes = Readonly<Record<RedactionClass, RedactionMode>>

/** Something that was said on one track. */
export type TrackUtterance = Pick<Utterance, 'start' | 'end' | 'text'> & { readonly track: string }

/** Where something stood. */
export type RedactedPlace = {
  /** Index of the utterance in the list. */
  readonly utterance: number
  /** From this to that UTF-16 unit of the redacted text; the same when it was removed. */
  readonly start: number
  readonly end: number
  /** Seconds, on the clock of the utterance: its share of the utterance's characters, so an estimate. */
  readonly from: number
  readonly to: number
}

/** One thing that was redacted, never its value. A number dictated in pieces has a place for each utterance. */
export type RedactionFinding = {
  readonly class: RedactionClass
  readonly places: readonly RedactedPlace[]
}

/** A stretch of the text of one utterance, in UTF-16 units. */
export type Span = { readonly utterance: number; readonly start: number; readonly end: number }

/** The same mode for every class. */
export function sameMode(mode: RedactionMode): RedactionModes {
  return { card: mode, cvv: mode, national_id: mode, iban: mode, email: mode, phone: mode }
}
