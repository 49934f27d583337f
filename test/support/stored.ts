// Everything a database holds about calls, read for the checker in invariants.ts with statements of
// its own: it shares no code with what it checks.

import type { CallStatus } from '../../src/calls/transitions.ts'
import type { Queryable } from '../../src/database/statement.ts'
import { listedColumns } from './stored-packets.ts'

/** A call with all that belongs to it. */
export type StoredCall = {
  readonly call_id: string
  readonly status: CallStatus
  readonly version: number
  readonly lease_owner: string | null
  readonly lease_token: number
  readonly attempts: number
  readonly has_result: boolean
  /** For how many seconds its next step has been due; null when there is none. */
  readonly overdue: number | null
  readonly tracks: StoredTrack[]
  readonly segments: StoredSegment[]
  readonly events: StoredEvent[]
  readonly tries: StoredAttempt[]
}

/** A row of `tracks`, its ranges as pairs of the first number and the one after the last. */
export type StoredTrack = {
  readonly track: string
  readonly received: (readonly [first: number, end: number])[]
  readonly spilled: (readonly [first: number, end: number])[]
  readonly has_zero: boolean
  readonly horizon: number
  readonly missing_below: number
  readonly packets: number
}

/** A row of `segments`. */
export type StoredSegment = {
  readonly track: string
  readonly first_sequence: number
  readonly last_sequence: number
  readonly sequences: number[]
  readonly timestamps: number[]
  readonly sizes: number[]
  readonly payload: Buffer
}

/** A row of `events`. */
export type StoredEvent = {
  readonly position: number | null
  readonly kind: 'transition' | 'result' | 'attempt'
  readonly version: number
  readonly old_status: CallStatus | null
  readonly status: CallStatus
}

/** A row of `attempts`. */
export type StoredAttempt = {
  readonly number: number
  readonly lease_token: number
  readonly outcome: string | null
}

type OfCall = { readonly call: number }
type TrackRow = OfCall &
  Omit<StoredTrack, 'received' | 'spilled'> & {
    readonly received: string
    readonly spilled: (readonly [number, number])[]
  }

/** Reads all calls of a database. */
export async function readStored(db: Queryable): Promise<StoredCall[]> {
  const rows = async <Row>(sql: string): Promise<Row[]> => (await db.query(sql)).rows as Row[]
  await db.query('SELECT settle_journals()')
  const calls = await rows<
    { id: number } & Omit<StoredCall, 'tracks' | 'segments' | 'events' | 'tries'>
  >(
    `SELECT id, call_id, status, version, lease_owner, lease_token, attempts,
       ai_processed_at IS NOT NULL AS has_result,
       extract(epoch FROM clock_timestamp() - due_at)::float8 AS overdue
     FROM calls ORDER BY id`,
  )
  const tracks = await rows<TrackRow>(
    `SELECT call, track, received::text, has_zero, horizon, missing_below, packets, (
       SELECT coalesce(json_agg(json_build_array(first_sequence, last_sequence + 1)), '[]')
       FROM spilled_ranges AS spilled
       WHERE spilled.call = tracks.call AND spilled.track = tracks.track
     ) AS spilled FROM tracks`,
  )
  const segments = await rows<OfCall & StoredSegment>(
    `SELECT call, track, first_sequence, last_sequence, ${listedColumns}
     FROM segments ORDER BY received_at`,
  )
  const events = await rows<OfCall & StoredEvent>(
    'SELECT call, position, kind, version, old_status, status FROM events ORDER BY id',
  )
  const attempts = await rows<OfCall & StoredAttempt>(
    'SELECT call, number, lease_token, outcome FROM attempts ORDER BY number',
  )
  const of = {
    tracks: byCall(tracks),
    segments: byCall(segments),
    events: byCall(events),
    tries: byCall(attempts),
  }
  return calls.map(({ id, ...call }) => ({
    ...call,
    tracks: (of.tracks.get(id) ?? []).map((track) => ({
      ...track,
      received: readRanges(track.received),
    })),
    segments: of.segments.get(id) ?? [],
    events: of.events.get(id) ?? [],
    tries: of.tries.get(id) ?? [],
  }))
}

function byCall<Row extends OfCall>(rows: readonly Row[]): Map<number, Row[]> {
  return Map.groupBy(rows, ({ call }) => call)
}

/** Reads `{[1,4),[7,8)}`. */
function readRanges(text: string): (readonly [number, number])[] {
  const numbers = text.match(/\d+/g)?.map(Number) ?? []
  return numbers.flatMap((first, index) => {
    const end = numbers[index + 1]
    return index % 2 === 0 && end !== undefined ? [[first, end] as const] : []
  })
}
