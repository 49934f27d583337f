// What the timeline of a call is told from: the state of the call, and everything that happened to it.
import { statement } from '../database/statement.ts'
import type { CallStatus } from './transitions.ts'

/** What it takes to say why a call has no transcript. */
export type CallFacts = {
  readonly id: number
  readonly status: CallStatus
  /** The database's clock. */
  readonly now: Date
  readonly completed_at: Date | null
  /** When the next step is due, whoever takes it; null: there is none. */
  readonly due_at: Date | null
  /** Who analyses it; null: nobody at the moment. */
  readonly lease_owner: string | null
  /** Analyses begun so far. */
  readonly attempts: number
  /** How the newest of them ended; null: it is under way, or there was none. */
  readonly last_outcome: string | null
  readonly transcription: string | null
  readonly ai_processed_at: Date | null
  readonly error_message: string | null
  readonly packets: number
  readonly last_packet_at: Date | null
  /** When the last of its media streams ended; null: one is open, or there was none. */
  readonly media_ended_at: Date | null
}

/** The state of a call; no row for an unknown one. */
export const findCallFacts = statement<[callId: string], CallFacts>(
  'find_call_facts',
  `SELECT id, status, clock_timestamp() AS now, completed_at, due_at, lease_owner, attempts,
     transcription, ai_processed_at, error_message,
     (SELECT outcome FROM attempts WHERE call = calls.id ORDER BY number DESC LIMIT 1) AS last_outcome,
     account.packets, account.last_packet_at, media.ended_at AS media_ended_at
   FROM calls CROSS JOIN LATERAL (
     SELECT coalesce(sum(packets), 0)::bigint AS packets,
       max(last_packet_at) FILTER (WHERE packets > 0) AS last_packet_at
     FROM tracks WHERE tracks.call = calls.id
   ) AS account CROSS JOIN LATERAL (
     SELECT CASE WHEN bool_and(ended_at IS NOT NULL) THEN max(ended_at) END AS ended_at
     FROM media_streams WHERE media_streams.call = calls.id
   ) AS media
   WHERE call_id = $1::text COLLATE "C"`,
)

/** What may happen to a call. */
export const entryKinds = [
  'state',
  'attempt_started',
  'attempt_ended',
  'result',
  'first_packet',
  'last_packet',
  'media',
] as const
export type EntryKind = (typeof entryKinds)[number]

/** The particulars of an entry, by its kind. */
export type EntryData = Readonly<Record<string, unknown>>

/** Something that happened. */
export type TimelineRow = {
  readonly at: Date
  readonly kind: EntryKind
  readonly data: EntryData
  /** How many entries the call has, with those beyond the limit. */
  readonly total: number
}

/**
 * The newest entries of a call, newest first. When a stream began, its tracks exist before their first packet: the
 * time of that is read from the packets that stand first.
 */
export const readTimeline = statement<[call: number, limit: number], TimelineRow>(
  'read_timeline',
  `SELECT at, kind, data, count(*) OVER () AS total FROM (
     SELECT created_at AS at, id AS rank,
       CASE kind WHEN 'transition' THEN 'state' WHEN 'attempt' THEN 'attempt_ended' ELSE kind END
         AS kind,
       CASE kind WHEN 'transition' THEN
         jsonb_build_object('status', status, 'previous_status', old_status) || data
       ELSE data END AS data
     FROM events WHERE call = $1
     UNION ALL
     SELECT started_at, number, 'attempt_started', jsonb_build_object(
       'attempt', number, 'provider', provider, 'gateway', lease_owner)
     FROM attempts WHERE call = $1
     UNION ALL
     SELECT least(last_packet_at, coalesce((
         SELECT min(received_at) FROM (
           SELECT received_at FROM segments WHERE segments.call = $1 AND segments.track = tracks.track
           ORDER BY first_sequence LIMIT 100
         ) AS earliest
       ), first_packet_at)), 0, 'first_packet', jsonb_build_object('track', track)
     FROM tracks WHERE call = $1 AND packets > 0
     UNION ALL
     SELECT last_packet_at, 1, 'last_packet', jsonb_build_object(
       'track', track, 'packets', packets, 'missing', missing_of_track(tracks)::text,
       'missing_count', multirange_size(missing_of_track(tracks)) + missing_below,
       'late', late, 'duplicates', duplicates)
     FROM tracks WHERE call = $1 AND packets > 0
   ) AS everything
   ORDER BY at DESC, rank DESC LIMIT $2`,
)
