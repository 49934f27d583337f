// The conversation as lines in the order of time, what was lost between them. Pure.
import type { CallDetail, Transcript, Utterance } from './types.ts'

/** A line of the conversation; seconds of the call, null where no time is known. */
export type Line =
  | {
      readonly kind: 'said'
      readonly speaker: Utterance['speaker']
      readonly start: number | null
      readonly end: number | null
      readonly text: string
    }
  | {
      readonly kind: 'lost'
      readonly track: string
      readonly start: number
      readonly end: number
    }

/** Lost audio that is shorter than this is not worth a line of its own; it is in the waveform. In seconds. */
const shortestLine = 0.2
/** Losses with less than a packet between them are one. In seconds. */
const closeBy = 0.01

/** The lines of a call: of its transcript, or of what is known in its place. */
export function linesOf(transcript: Transcript | undefined, call: CallDetail): readonly Line[] {
  if (transcript === undefined || transcript.utterances.length === 0)
    return linesOfText(transcript?.text ?? call.transcription ?? '')
  const said = transcript.utterances.map(
    ({ speaker, start, end, text }): Line => ({ kind: 'said', speaker, start, end, text }),
  )
  return [...said, ...lostLines(transcript)].toSorted(
    (one, other) => (one.start ?? 0) - (other.start ?? 0),
  )
}

function lostLines({ lost_audio: lost }: Transcript): readonly Line[] {
  const lines: Extract<Line, { kind: 'lost' }>[] = []
  for (const { track, start, end } of lost.toSorted((one, other) => one.start - other.start)) {
    const before = lines.findLast((line) => line.track === track)
    if (before !== undefined && start - before.end < closeBy)
      lines[lines.indexOf(before)] = { ...before, end: Math.max(before.end, end) }
    else lines.push({ kind: 'lost', track, start, end })
  }
  return lines.filter(({ start, end }) => end - start >= shortestLine)
}

const speakers = { Customer: 'customer', Agent: 'agent' } as const

function linesOfText(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): Line => {
      const [, name, said] = /^(Customer|Agent): (.*)$/s.exec(line) ?? []
      const speaker = name === 'Customer' || name === 'Agent' ? speakers[name] : null
      return { kind: 'said', speaker, start: null, end: null, text: said ?? line }
    })
}

/** The line that is being spoken at a second of the call; -1 for none. */
export function lineAt(lines: readonly Line[], seconds: number): number {
  return lines.findLastIndex(
    ({ kind, start, end }) =>
      kind === 'said' && start !== null && end !== null && start <= seconds && seconds < end + 0.4,
  )
}

/** A text in parts, of which every second one is what was searched for. */
export function splitBy(text: string, search: string): readonly string[] {
  if (search === '') return [text]
  const parts: string[] = []
  const [lower, wanted] = [text.toLowerCase(), search.toLowerCase()]
  // Where lowering changes lengths, as of some Turkish letters, places would not agree.
  if (lower.length !== text.length) return [text]
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + wanted.length))
    from = at + wanted.length
  }
  return [...parts, text.slice(from)]
}
