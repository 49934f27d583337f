// What happened to a call, in sentences for an operator. Pure: a sentence for every kind of entry, whatever its data.
import { describeRanges, parseMultirange } from './missing-packets.ts'
import type { EntryData, EntryKind, TimelineRow } from './timeline-statements.ts'

/** An entry as it is shown. */
export type TimelineEntry = {
  /** ISO 8601, UTC; so are all times in it. */
  readonly at: string
  readonly kind: EntryKind
  readonly text: string
  readonly data: EntryData
}

type Describe = (data: EntryData) => string

/** The entry of a row. */
export function viewEntry({ at, kind, data: stored }: Omit<TimelineRow, 'total'>): TimelineEntry {
  const data = { ...stored }
  if (kind === 'last_packet') data.missing = describeRanges(parseMultirange(text(stored.missing)))
  // The database writes times with an offset of its own.
  const next = new Date(text(stored.next_attempt_at))
  if (!Number.isNaN(next.getTime())) data.next_attempt_at = next.toISOString()
  return { at: at.toISOString(), kind, text: entries[kind](data), data }
}

const entries: Readonly<Record<EntryKind, Describe>> = {
  state: (data) => (of(states, data.status) ?? (() => 'The call changed.'))(data),
  attempt_started: (data) =>
    `Attempt ${text(data.attempt)} to analyse the call began (${text(data.provider)}, by ${text(data.gateway)}).`,
  attempt_ended: (data) => (of(outcomes, data.outcome) ?? attemptEnded)(data) + nextAttempt(data),
  result: () => 'The result of the analysis was stored.',
  first_packet: ({ track }) => `The first packet on ${text(track)} was stored.`,
  last_packet: (data) => `The newest packet on ${text(data.track)} was stored: ${account(data)}.`,
  media: (data) => (of(mediaEvents, data.event) ?? otherEvent)(data),
}

/** The entry of a table; a PBX may give an event any name, also that of a method. */
function of<T>(table: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined
}

const states: Readonly<Record<string, Describe>> = {
  IN_PROGRESS: () => 'The call began.',
  COMPLETED: ({ previous_status: from, cause }) =>
    from === 'PROCESSING_AI'
      ? 'The call is analysed, and rests before it is archived.'
      : `The call is over${of(completions, cause) ?? ''}.`,
  PROCESSING_AI: ({ previous_status: from }) =>
    from === 'FAILED'
      ? 'The analysis is tried anew.'
      : 'The analysis begins: packets are not taken any more.',
  FAILED: ({ error, next_attempt_at: next }) =>
    `The analysis failed: ${reason(error)}; ` +
    (typeof next === 'string' ? `it is tried anew at ${next}.` : 'it is not tried again.'),
  ARCHIVED: () => 'The call is archived.',
}

const completions: Readonly<Record<string, string>> = {
  endpoint: ': somebody said so',
  media_ended: ': its media ended',
  silence: ': no packet came for too long',
}

const outcomes: Readonly<Record<string, Describe>> = {
  retryable: ({ attempt, error }) => `Attempt ${text(attempt)} failed: ${reason(error)}`,
  outage: ({ attempt, error }) =>
    `Attempt ${text(attempt)} found the AI service out of order: ${reason(error)}`,
  permanent: ({ attempt, error }) =>
    `Attempt ${text(attempt)} failed, as any other would: ${reason(error)}`,
  released: ({ attempt }) => `Attempt ${text(attempt)} was given back: its gateway was stopped`,
  lost: ({ attempt }) => `Attempt ${text(attempt)} was lost: its gateway vanished`,
}

const attemptEnded: Describe = ({ attempt }) => `Attempt ${text(attempt)} ended`

function nextAttempt({ next_attempt_at: next }: EntryData): string {
  return typeof next === 'string' ? `; next attempt at ${next}.` : '.'
}

const mediaEvents: Readonly<Record<string, Describe>> = {
  stream_started: ({ protocol, tracks, format, continues }) =>
    `A stream began (${[text(protocol), list(tracks), formatOf(format)].filter(Boolean).join(', ')}).` +
    (continues === undefined
      ? ''
      : ` It is a call of its own: ${text(continues)} was over, or could not take it.`),
  stream_ended: (data) => {
    const protocol = data.protocol === undefined ? '' : ` (${text(data.protocol)})`
    return `A stream${protocol} ended${of(streamEnds, data.by) ?? ''}.`
  },
  no_audio: ({ milliseconds, track, cause }) =>
    milliseconds === 0
      ? `The audio that had not come on ${text(track)} came after all.`
      : `No audio came for ${count(Math.round(Number(milliseconds)))} ms on ${text(track)}` +
        `${of(silences, cause) ?? ''}.`,
  dtmf: ({ digit, track }) =>
    `The key ${text(digit)} was pressed${track === undefined ? '' : ` on ${text(track)}`}.`,
  paused: () => 'The PBX paused the audio.',
  resumed: () => 'The PBX resumed the audio.',
  tracks_swapped: ({ swapped }) =>
    swapped === true
      ? 'The roles were set: inbound is the agent, outbound the customer.'
      : 'The roles were set: inbound is the customer, outbound the agent.',
}

const streamEnds: Readonly<Record<string, string>> = {
  stopped: ': the PBX said that it is over',
  disconnected: ': its connection was lost',
  replaced: ': it was silent, and another one took its place',
}

const silences: Readonly<Record<string, string>> = {
  clock: ' (fewer samples than time: lost, on hold, or the sender does not send silence)',
  reported: ' (the PBX said that it was lost)',
  reconnect: ' (the connection was away)',
  paused: ' (the PBX had paused it)',
  overload: ' (the gateway had no room for it)',
}

const otherEvent: Describe = ({ event, ...more }) => {
  const particulars = Object.entries(more).map(([name, value]) => `${name} ${text(value)}`)
  return `The PBX said: ${text([text(event), ...particulars].join(', '))}.`
}

/** Longer lists of numbers are only counted. */
const longestList = 60

function account(data: EntryData): string {
  const parts = [`${count(data.packets)} in all`]
  const missing = text(data.missing)
  const listed = missing.length <= longestList ? ` (${missing})` : ''
  parts.push(
    Number(data.missing_count) === 0
      ? 'none is missing'
      : `${count(data.missing_count)} missing${listed}`,
  )
  if (Number(data.late) > 0) parts.push(`${count(data.late)} out of order`)
  if (Number(data.duplicates) > 0) parts.push(`${count(data.duplicates)} sent again`)
  return parts.join(', ')
}

function formatOf(format: unknown): string {
  if (typeof format !== 'object' || format === null) return ''
  const { encoding, rate } = format as EntryData
  return rate === undefined ? text(encoding) : `${text(encoding)} at ${count(rate)} Hz`
}

function list(values: unknown): string {
  return text(Array.isArray(values) ? values.map(text).join(' and ') : values)
}

function count(value: unknown): string {
  return Number(value).toLocaleString('en')
}

function reason(error: unknown): string {
  return typeof error === 'string' && error !== ''
    ? error.replace(/\.$/, '')
    : 'no reason was given'
}

const longestText = 200

function text(value: unknown): string {
  if (value === undefined || value === null) return 'unknown'
  const written = typeof value === 'string' ? value : JSON.stringify(value)
  return written.length > longestText ? `${written.slice(0, longestText).toWellFormed()}…` : written
}
