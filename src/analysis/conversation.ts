// A conversation from the transcripts of its tracks, in the order in which it was spoken. Pure.
import { exchangeNames } from '../calls/roles.ts'
import type { SpokenLine } from './service.ts'
import type { StoredUtterance, TranscriptStep } from './steps.ts'

const names = { customer: 'Customer', agent: 'Agent' } as const

/** Everything that was said, in order. */
export function inOrderSpoken(transcripts: readonly TranscriptStep[]): StoredUtterance[] {
  return transcripts
    .flatMap(({ utterances }) => utterances)
    .toSorted((one, other) => one.start - other.start || one.end - other.end)
}

/**
 * Who says it, undefined when nobody can tell: on a line that both share.
 * @param swapped a supervisor said that inbound is the agent
 */
export function speakerOf(
  { track, speaker }: Pick<StoredUtterance, 'track' | 'speaker'>,
  swapped: boolean,
): 'customer' | 'agent' | undefined {
  const told = speaker ?? (track === 'inbound' ? 'customer' : track === 'outbound' ? 'agent' : null)
  if (told === null) return undefined
  return swapped ? (told === 'customer' ? 'agent' : 'customer') : told
}

/** The conversation as it is given to services. */
export function linesOf(
  utterances: readonly StoredUtterance[],
  swapped: boolean,
): readonly SpokenLine[] {
  return utterances.map((utterance) => ({
    speaker: speakerOf(utterance, swapped) ?? 'unknown',
    start: utterance.start,
    text: utterance.text,
  }))
}

/** The conversation as one text, a line for each time somebody speaks. */
export function textOf(transcripts: readonly TranscriptStep[], swapped: boolean): string {
  const told = toldIn(transcripts, swapped)
  const lines: { speaker: string | undefined; text: string }[] = []
  for (const utterance of inOrderSpoken(transcripts)) {
    const speaker = speakerOf(utterance, swapped)
    const last = lines.at(-1)
    if (last !== undefined && last.speaker === speaker) last.text += ` ${utterance.text}`
    else lines.push({ speaker, text: utterance.text })
  }
  return [
    ...told,
    ...lines.map(({ speaker, text }) =>
      speaker === 'customer' || speaker === 'agent' ? `${names[speaker]}: ${text}` : text,
    ),
  ].join('\n')
}

/** What is known in place of utterances, with the names of now. */
export function toldIn(
  transcripts: readonly TranscriptStep[],
  swapped: boolean,
): readonly string[] {
  return transcripts.flatMap(({ text }) =>
    text === null ? [] : [swapped ? exchangeNames(text) : text],
  )
}
