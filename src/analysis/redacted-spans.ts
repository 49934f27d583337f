// Where in a call something was said that was taken out of its transcript: what is muted in its audio.
import type { Queryable } from '../database/statement.ts'
import { readSteps, type StoredStep } from './steps.ts'

/** A stretch of a call; a track without a name is every track. */
export type RedactedSpan = {
  readonly track: string | null
  /** Seconds since the start of the call. */
  readonly start: number
  readonly end: number
}

/** Before and after what is muted, in seconds: services are not exact. */
const margin = 0.25

/**
 * The stretches that hold what was found. Within an utterance its place is an estimate, so the whole utterance is one.
 */
export function redactedSpans(steps: readonly StoredStep[]): readonly RedactedSpan[] {
  return steps.flatMap((step) => {
    if (step.step !== 'transcript') return []
    const { findings, utterances } = step.result
    return findings.flatMap((finding) => {
      const within = utterances.filter(
        ({ start, end }) => start <= finding.end && end >= finding.start,
      )
      return [finding, ...within].map(({ start, end }) => ({
        track: step.track === '' ? null : step.track,
        start: Math.max(0, start - margin),
        end: end + margin,
      }))
    })
  })
}

/** The stretches of a call (by its `id`). */
export async function readRedactedSpans(
  db: Queryable,
  call: number,
): Promise<readonly RedactedSpan[]> {
  return redactedSpans(await readSteps(db, call))
}
