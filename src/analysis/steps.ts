// What was found out of a call, step by step: each is stored when it is done, so that a retry repeats only what failed.
import type { Talk } from '../calls/roles.ts'
import { statement } from '../database/statement.ts'
import type { Sentiment } from './provider.ts'
import type { Mood } from './service.ts'

/** Something that was said, as it is stored: redacted. */
export type StoredUtterance = {
  /** Null when the tracks were heard together. */
  readonly track: 'inbound' | 'outbound' | 'mixed' | null
  /** Null: it follows from the track. */
  readonly speaker: 'customer' | 'agent' | null
  /** Seconds since the start of the call. */
  readonly start: number
  readonly end: number
  readonly text: string
  readonly confidence: number | null
}

/** What was taken out of a transcript: never the value. */
export type StoredFinding = {
  readonly class: string
  /** Seconds since the start of the call. */
  readonly start: number
  readonly end: number
}

/** The result of the step `transcript`, of one track or of the call. */
export type TranscriptStep = {
  readonly utterances: readonly StoredUtterance[]
  /** In place of utterances: all that is known. */
  readonly text: string | null
  readonly findings: readonly StoredFinding[]
}

/** The mood of the customer in a stretch of a call. */
export type MoodOfStretch = {
  /** Seconds since the start of the call. */
  readonly start: number
  readonly end: number
  /** -1 (bad) to 1 (good). */
  readonly score: number
}

/** The result of the step `mood`. */
export type MoodStep = {
  /** Of the customer. */
  readonly label: Sentiment
  /** -1 (bad) to 1 (good); null when it was not measured. */
  readonly score: number | null
  /** Of each track by its name, or of each speaker when the tracks were heard together. */
  readonly tracks: Readonly<Record<string, Mood>>
  /** Of the customer; stretches in which nothing was said are left out. */
  readonly over_time: readonly MoodOfStretch[]
  /** A supervisor had exchanged the roles before it was judged. */
  readonly swapped: boolean
}

/** The result of the step `summary`. */
export type SummaryStep = {
  readonly text: string
  readonly reason: string | null
  readonly outcome: string | null
  readonly next_step: string | null
}

/** A step with its result. */
export type Step =
  | { readonly step: 'transcript'; readonly track: string; readonly result: TranscriptStep }
  | { readonly step: 'mood'; readonly track: ''; readonly result: MoodStep }
  | { readonly step: 'summary'; readonly track: ''; readonly result: SummaryStep }
  | { readonly step: 'talk'; readonly track: ''; readonly result: Talk }

/** A step that is stored. */
export type StoredStep = Step & { readonly provider: string }

/** The transcripts among steps. */
export function transcriptsOf(steps: readonly Step[]): TranscriptStep[] {
  return steps.flatMap((step) => (step.step === 'transcript' ? [step.result] : []))
}

/** The steps of a call that are done. */
export const readSteps = statement<[call: number], StoredStep>(
  'read_steps',
  'SELECT step, track, provider, result FROM analysis_steps WHERE call = $1 ORDER BY step, track',
)

/** Keeps a step; false when the lease was lost. */
export const storeStep = statement<
  [
    call: number,
    token: number,
    step: StoredStep['step'],
    track: string,
    provider: string,
    model: string | null,
    result: string,
    usage: string,
    latencyMs: number,
  ],
  { readonly stored: boolean }
>('store_step', 'SELECT store_step($1, $2, $3, $4, $5, $6, $7, $8, $9) AS stored')
