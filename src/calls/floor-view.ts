// A call as one line of the floor: the schemas, which serialise and document, and the way from row to reply. Pure.
import Type, { type Static, type TSchema } from 'typebox'
import type { FloorRow } from './floor-statements.ts'
import { type Talk, talkAsSeen } from './roles.ts'
import { callStatuses } from './transitions.ts'

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const time = (description: string) => Type.String({ format: 'date-time', description })
const grades = ['A', 'B', 'C', 'D', 'F'] as const
const milliseconds = (description: string) => Type.Integer({ minimum: 0, description })
const moods = ['positive', 'neutral', 'negative', 'mixed'] as const

/** A call as one line. */
export const FloorCall = Type.Object(
  {
    call_id: Type.String(),
    status: Type.Enum(callStatuses, { type: 'string' }),
    source: Type.String({ description: 'The protocol it came by; http without a media stream' }),
    from: orNull(Type.String({ description: 'As the PBX says; null when it does not' })),
    to: orNull(Type.String()),
    started_at: time('When it was first heard of'),
    completed_at: orNull(time('When it was completed')),
    last_packet_at: orNull(time('When its last packet was stored')),
    tracks: Type.Array(Type.String()),
    packets: Type.Integer({ description: 'Packets stored' }),
    lost_packets: Type.Integer({ description: 'Sequence numbers not received' }),
    lost_ms: orNull(
      Type.Number({
        description:
          'Audio lost, in ms; null when only /quality can tell how long lost packets are',
      }),
    ),
    grade: orNull(
      Type.Enum(grades, {
        type: 'string',
        description: 'By the share lost, as estimated from counts; null without packets',
      }),
    ),
    mood: orNull(Type.Enum(moods, { type: 'string' })),
    mood_score: orNull(Type.Number({ description: '-1 to 1; null when it was not measured' })),
    mood_trend: orNull(
      Type.Array(Type.Number(), {
        description:
          'The mood over the call, -1 to 1, in at most 8 parts; null when it is not known',
      }),
    ),
    talk: orNull(
      Type.Object(
        {
          customer_ms: orNull(milliseconds('The customer spoke; null: nobody can tell who did')),
          agent_ms: orNull(milliseconds('The agent spoke')),
          silence_ms: milliseconds('Nobody spoke'),
          length_ms: milliseconds('All of the call: less than the sum where both spoke'),
        },
        { description: 'As the transcript tells; null before there is one' },
      ),
    ),
    attempts: Type.Integer({ description: 'Analyses begun' }),
    next_attempt_at: orNull(time('When the analysis is due; null while it runs')),
    error: orNull(Type.String({ description: 'Why the last attempt failed' })),
    said_last: orNull(Type.String({ description: 'The end of the transcript' })),
    version: Type.Integer({ description: 'Grows with every change of the status' }),
  },
  { title: 'FloorCall' },
)

/** The greatest shares of audio lost, by grade; worse is F. */
export const gradeLimits: readonly (readonly [(typeof grades)[number], number])[] = [
  ['A', 0.001],
  ['B', 0.01],
  ['C', 0.03],
  ['D', 0.1],
]

/** The line of a row. */
export function viewFloorCall(row: FloorRow): Static<typeof FloorCall> {
  return {
    call_id: row.call_id,
    status: row.status,
    source: row.protocol ?? 'http',
    from: shorten(row.from),
    to: shorten(row.to),
    started_at: row.started_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    last_packet_at: row.last_packet_at?.toISOString() ?? null,
    tracks: row.tracks ?? [],
    packets: row.packets,
    lost_packets: row.lost_packets,
    lost_ms: row.lost_packets > 0 ? null : row.silence_ms,
    grade: gradeOf(row),
    mood: moods.find((mood) => mood === row.mood) ?? null,
    mood_score: row.mood_score,
    mood_trend: row.mood_course && trendOf(row.mood_course.map(({ score }) => score)),
    talk: row.talk && viewTalk(talkAsSeen(row.talk, row.tracks_swapped)),
    attempts: row.attempts,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    error: row.error,
    said_last: lastSaid(row.said),
    version: row.version,
  }
}

function gradeOf(row: FloorRow): (typeof grades)[number] | null {
  const { packets, lost_packets: lost, silence_ms: silence, first_packet_at: first } = row
  if (packets === 0) return null
  const lasted = (row.last_packet_at?.getTime() ?? 0) - (first?.getTime() ?? 0)
  const tracks = Math.max(row.tracks?.length ?? 1, 1)
  const silent = silence === 0 ? 0 : Math.min(silence / tracks / Math.max(lasted, 1), 1)
  const share = lost / (lost + packets) + silent
  return gradeLimits.find(([, limit]) => share <= limit)?.[0] ?? 'F'
}

function viewTalk({ customer, agent, silence, length }: Talk) {
  const ms = (seconds: number) => Math.round(seconds * 1_000)
  return {
    customer_ms: customer === null ? null : ms(customer),
    agent_ms: agent === null ? null : ms(agent),
    silence_ms: ms(silence),
    length_ms: ms(length),
  }
}

const trendParts = 8

/** The course of a mood in few parts: each is the mean of what falls into it. */
export function trendOf(scores: readonly number[]): number[] {
  const parts = Math.min(trendParts, scores.length)
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * scores.length) / parts)
    const some = scores.slice(from, Math.floor(((part + 1) * scores.length) / parts))
    const mean = some.reduce((sum, score) => sum + score, 0) / some.length
    return Math.round(mean * 100) / 100
  })
}

const longestParty = 128
const longestSaid = 160

function shorten(text: string | null): string | null {
  return text === null || text === '' ? null : text.slice(0, longestParty)
}

/** The last line of what was said, without who said it. */
export function lastSaid(end: string | null): string | null {
  const line = end?.trimEnd().split('\n').at(-1)?.trim()
  if (!line) return null
  const text = line.replace(/^(Customer|Agent): /, '')
  return text.length > longestSaid ? `…${text.slice(-longestSaid)}` : text
}
