import { statement } from '../database/statement.ts'
import { rolesExchanged, sentimentAsSeen } from './roles.ts'
import type { CallStatus } from './transitions.ts'

/** A call with the account of its tracks. */
export type CallRow = {
  readonly id: number
  readonly call_id: string
  readonly status: CallStatus
  readonly created_at: Date
  readonly updated_at: Date
  readonly completed_at: Date | null
  readonly total_packets: number
  /** PostgreSQL's text of an int8multirange. */
  readonly missing: string
  readonly missing_count: number
  readonly attempts: number
  readonly transcription: string | null
  readonly sentiment: string | null
  readonly summary: string | null
  readonly ai_processed_at: Date | null
  readonly error_message: string | null
  readonly tracks_swapped: boolean
  /** The roles are other ones than when it was analysed. */
  readonly exchanged: boolean
}

// Tracks are few per call; their packets are counted in their rows and in the journal, never by reading packets.
const selectCall = `
  SELECT calls.id, call_id, status, created_at,
    greatest(updated_at, account.last_packet_at) AS updated_at, completed_at,
    account.total_packets, account.missing, account.missing_count, attempts,
    transcription, ${sentimentAsSeen('calls')} AS sentiment, summary, ai_processed_at,
    error_message, tracks_swapped, ${rolesExchanged('calls')} AS exchanged
  FROM calls CROSS JOIN LATERAL (
    SELECT coalesce(sum(tracks.packets + coalesce(journaled.packets, 0)), 0)::bigint AS total_packets,
      coalesce(range_agg(missing_of_track(tracks)), '{}')::text AS missing,
      coalesce(sum(multirange_size(missing_of_track(tracks)) + missing_below), 0)::bigint
        AS missing_count,
      max(greatest(tracks.last_packet_at, journaled.last_packet_at)) AS last_packet_at
    FROM tracks, journaled_packets(tracks.journal, tracks.call, tracks.track) AS journaled
    WHERE tracks.call = calls.id
  ) AS account`

/** The call of that call id, with every packet that was acknowledged until now. */
export const findCall = statement<[callId: string], CallRow>(
  'find_call',
  `${selectCall} WHERE call_id = $1::text COLLATE "C"`,
)

/** Calls older than the one with id `before`, newest first. */
export const listCalls = statement<[before: number, limit: number], CallRow>(
  'list_calls',
  `${selectCall} WHERE calls.id < $1 ORDER BY calls.id DESC LIMIT $2`,
)

/** Calls of one status that are older than the one with id `before`, newest first. */
export const listCallsOfStatus = statement<
  [status: CallStatus, before: number, limit: number],
  CallRow
>(
  'list_calls_of_status',
  `${selectCall} WHERE status = $1::text::call_status AND calls.id < $2
   ORDER BY calls.id DESC LIMIT $3`,
)

/** How many calls are in each status, in constant time: the published counts and what is not yet published. */
export const countCalls = statement<[], { readonly status: CallStatus; readonly calls: number }>(
  'count_calls',
  `SELECT status_counts.status, (status_counts.calls + coalesce(pending.calls, 0))::bigint AS calls
   FROM status_counts LEFT JOIN (
     SELECT change.status, sum(change.calls) AS calls
     FROM events, LATERAL (VALUES (events.status, 1), (events.old_status, -1))
       AS change (status, calls)
     WHERE position IS NULL AND kind = 'transition' AND change.status IS NOT NULL
     GROUP BY change.status
   ) AS pending USING (status)`,
)

/** Lets who reads the packets of a call next see all that were acknowledged; see settle_call() in the migrations. */
export const settleCall = statement<[callId: string], never>(
  'settle_call',
  'SELECT settle_call($1)',
)

/** The same for all calls, but for what was settled in the last so many seconds: 0, nothing is left out. */
export const settleJournals = statement<[forSeconds: number], never>(
  'settle_journals',
  'SELECT settle_journals($1)',
)

/** Completes a call; its status before, or no row for an unknown call. */
export const completeCall = statement<
  [callId: string, cause: 'endpoint' | 'media_ended', graceSeconds: number],
  { readonly id: number; readonly was: CallStatus }
>('complete_call', 'SELECT id, was FROM complete_call($1, $2, $3)')

/** Exchanges the roles of the tracks of a call (null), or sets them; no row for an unknown call. */
export const swapTracks = statement<
  [callId: string, swapped: boolean | null],
  { readonly swapped: boolean }
>('swap_tracks', 'SELECT swapped FROM swap_tracks($1, $2)')

/** Completes calls that are silent or lost their media, and archives rested ones; how many changed. */
export const meetDeadlines = statement<
  [limit: number, packetTimeoutSeconds: number, graceSeconds: number, reconnectSeconds: number],
  { readonly changed: number }
>('meet_deadlines', 'SELECT meet_deadlines($1, $2, $3, $4) AS changed')

/** In how many seconds the next call in progress or at rest is due; null when there is none. */
export const nextDeadline = statement<[], { readonly seconds: number | null }>(
  'next_deadline',
  `SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 AS seconds FROM calls
   WHERE status = 'IN_PROGRESS' OR (status = 'COMPLETED' AND ai_processed_at IS NOT NULL)`,
)
