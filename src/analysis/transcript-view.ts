// The transcript of a call as it is shown: who said what and when, and where audio was lost. Pure.
import { inOrderSpoken, speakerOf, toldIn } from './conversation.ts'
import type { StoredFinding, TranscriptStep } from './steps.ts'

/** Audio that was lost; seconds since the start of the call. */
export type LostAudio = { readonly track: string; readonly start: number; readonly end: number }

/** Something that was said, as it is shown. */
export type ShownUtterance = {
  readonly track: string | null
  readonly speaker: 'customer' | 'agent' | null
  readonly start: number
  readonly end: number
  readonly text: string
  readonly confidence: number | null
}

/** A transcript. */
export type Transcript = {
  readonly utterances: readonly ShownUtterance[]
  /** What is known in place of utterances. */
  readonly text: string | null
  readonly redactions: readonly StoredFinding[]
}

/** A line of a transcript with its time. */
export type Cue = {
  readonly start: number
  readonly end: number
  readonly speaker: string | null
  readonly text: string
}

/** The transcript of the steps that are done; undefined when none is. */
export function viewTranscript(
  steps: readonly TranscriptStep[],
  swapped: boolean,
): Transcript | undefined {
  if (steps.length === 0) return undefined
  const texts = toldIn(steps, swapped)
  return {
    utterances: inOrderSpoken(steps).map((utterance) => ({
      ...utterance,
      speaker: speakerOf(utterance, swapped) ?? null,
    })),
    text: texts.length === 0 ? null : texts.join('\n'),
    redactions: steps.flatMap(({ findings }) => findings),
  }
}

const names = { customer: 'Customer', agent: 'Agent' } as const

/**
 * The lines with the lost audio between them, in the order of time.
 * @param duration of the call, in seconds
 */
export function cuesOf(
  { utterances, text }: Transcript,
  lost: readonly LostAudio[],
  duration: number,
): readonly Cue[] {
  const said = utterances.map(({ start, end, speaker, text }): Cue => {
    return { start, end, speaker: speaker === null ? null : names[speaker], text }
  })
  const gaps = lost.map(({ start, end, track }): Cue => {
    const seconds = (end - start).toFixed(1)
    return { start, end, speaker: null, text: `[${seconds} s of audio lost on ${track}]` }
  })
  const whole: Cue[] =
    text === null ? [] : [{ start: 0, end: Math.max(duration, 1), speaker: null, text }]
  return [...whole, ...said, ...gaps].toSorted((one, other) => one.start - other.start)
}
