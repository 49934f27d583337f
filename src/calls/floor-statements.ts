// What the floor of the desk reads: calls as one line each, and how many there are. Nothing here reads a packet, and
// nothing scans: candidates come by index, and each is looked up.
import { statement } from '../database/statement.ts'
import { moodOfCustomer, rolesExchanged, sentimentAsSeen, type Talk } from './roles.ts'
import type { CallStatus } from './transitions.ts'

/** A call as one line. */
export type FloorRow = {
  readonly call_id: string
  readonly status: CallStatus
  readonly version: number
  readonly started_at: Date
  readonly completed_at: Date | null
  readonly attempts: number
  readonly next_attempt_at: Date | null
  readonly error: string | null
  readonly mood: string | null
  readonly mood_score: number | null
  /** Of stretches of the call; null when it was judged with other roles, or not yet. */
  readonly mood_course: readonly { readonly score: number }[] | null
  /** With the roles that the tracks came with; null until it is measured. */
  readonly talk: Talk | null
  readonly tracks_swapped: boolean
  /** The end of the transcription, at most 240 characters. */
  readonly said: string | null
  readonly tracks: string[] | null
  readonly packets: number
  readonly lost_packets: number
  readonly first_packet_at: Date | null
  readonly last_packet_at: Date | null
  /** Time without audio that no missing packet tells of. */
  readonly silence_ms: number
  /** Of the media stream; null without one. */
  readonly protocol: string | null
  readonly from: string | null
  readonly to: string | null
}

// What PBXs say of the parties, wherever their protocols put it.
const parties = `
  coalesce(metadata->>'from', metadata->'parameters'->>'from', metadata->'parameters'->>'From',
    metadata->'participant'->>'ani') AS from,
  coalesce(metadata->>'to', metadata->'parameters'->>'to', metadata->'parameters'->>'To',
    metadata->'participant'->>'dnis') AS to`

// The numbers missing of a track are those up to the highest that are not stored: without a look at its ranges.
const selectFloor = `
  SELECT calls.call_id, calls.status, calls.version, calls.created_at AS started_at, completed_at,
    attempts, error_message AS error,
    CASE WHEN ai_processed_at IS NULL AND calls.status <> 'IN_PROGRESS' AND lease_owner IS NULL
      THEN due_at END AS next_attempt_at,
    ${sentimentAsSeen('calls')} AS mood,
    CASE WHEN ${rolesExchanged('calls')}
      THEN ${moodOfCustomer('calls', 'score', "result->>'score'", '0')}::float8
      ELSE (SELECT (result->>'score')::float8 FROM analysis_steps
        WHERE call = calls.id AND step = 'mood' AND track = '') END AS mood_score,
    CASE WHEN NOT ${rolesExchanged('calls')} THEN (SELECT result->'over_time' FROM analysis_steps
      WHERE call = calls.id AND step = 'mood' AND track = '') END AS mood_course,
    (SELECT result FROM analysis_steps
      WHERE call = calls.id AND step = 'talk' AND track = '') AS talk,
    tracks_swapped, right(transcription, 240) AS said,
    account.*, stream.*, (
      SELECT coalesce(sum(milliseconds), 0) FROM silences
      WHERE call = calls.id AND cause <> 'paused') AS silence_ms
  FROM calls CROSS JOIN LATERAL (
    SELECT array_agg(track::text ORDER BY track) AS tracks,
      coalesce(sum(packets), 0)::bigint AS packets,
      coalesce(sum(greatest(
        upper(received) - CASE WHEN has_zero THEN 0 ELSE 1 END - packets, 0)), 0)::bigint
        AS lost_packets,
      min(first_packet_at) FILTER (WHERE packets > 0) AS first_packet_at,
      max(last_packet_at) FILTER (WHERE packets > 0) AS last_packet_at
    FROM tracks WHERE tracks.call = calls.id
  ) AS account LEFT JOIN LATERAL (
    SELECT protocol, ${parties} FROM media_streams
    WHERE media_streams.call = calls.id ORDER BY id LIMIT 1
  ) AS stream ON true`

/** The calls with these `id`s, live ones first, then newest first. */
export const readFloorRows = statement<[ids: readonly number[]], FloorRow>(
  'read_floor_rows',
  `${selectFloor} WHERE calls.id = ANY ($1::bigint[])
   ORDER BY (calls.status = 'IN_PROGRESS') DESC, calls.id DESC`,
)

/** The calls with these call ids, in no order. */
export const readFloorRowsOf = statement<[callIds: readonly string[]], FloorRow>(
  'read_floor_rows_of',
  `${selectFloor} WHERE calls.call_id = ANY ($1::text[] COLLATE "C")`,
)

type Id = { readonly id: number }

/** Live calls first, then others, newest first. */
export const findNewest = statement<[limit: number], Id>(
  'find_newest',
  `(SELECT id FROM calls WHERE status = 'IN_PROGRESS' ORDER BY id DESC LIMIT $1)
   UNION ALL (SELECT id FROM calls WHERE status <> 'IN_PROGRESS' ORDER BY id DESC LIMIT $1)
   LIMIT $1`,
)

/** Those of a status, newest first. */
export const findNewestOfStatus = statement<[status: CallStatus, limit: number], Id>(
  'find_newest_of_status',
  // So written, the index by status is used however rare the status is.
  `SELECT id FROM calls
   WHERE (status, id) >= ($1::text::call_status, 0)
     AND (status, id) <= ($1::text::call_status, 9223372036854775807)
   ORDER BY status DESC, id DESC LIMIT $2`,
)

/** The call of that call id. */
export const findByCallId = statement<[callId: string], Id>(
  'find_by_call_id',
  'SELECT id FROM calls WHERE call_id = $1::text COLLATE "C"',
)

/**
 * Searches the newest 5,000 live calls, the newest 5,000 of all, and of the status, for a text in the call id or a
 * party; and all calls for a call id that begins with the text. Null: anything.
 */
export const searchFloor = statement<
  [text: string | null, status: CallStatus | null, source: string | null, limit: number],
  Id
>(
  'search_floor',
  `WITH candidates AS (
     (SELECT id FROM calls WHERE status = 'IN_PROGRESS' ORDER BY id DESC LIMIT 5000)
     UNION (SELECT id FROM calls ORDER BY id DESC LIMIT 5000)
     UNION (SELECT id FROM calls
       WHERE (status, id) >= ($2::text::call_status, 0)
         AND (status, id) <= ($2::text::call_status, 9223372036854775807)
       ORDER BY status DESC, id DESC LIMIT 5000)
     UNION (SELECT id FROM calls WHERE call_id >= $1::text COLLATE "C"
       AND call_id < $1 || chr(127) COLLATE "C" ORDER BY call_id LIMIT 1000)
   )
   SELECT calls.id FROM calls LEFT JOIN LATERAL (
     SELECT protocol, ${parties} FROM media_streams
     WHERE media_streams.call = calls.id ORDER BY id LIMIT 1
   ) AS stream ON true
   WHERE calls.id = ANY (ARRAY(SELECT id FROM candidates))
     AND ($2::text IS NULL OR status = $2::text::call_status)
     AND ($3::text IS NULL OR coalesce(protocol, 'http') = $3)
     AND ($1 IS NULL OR strpos(lower(concat_ws(chr(10), call_id, stream.from, stream.to)), lower($1)) > 0)
   ORDER BY (status = 'IN_PROGRESS') DESC, calls.id DESC LIMIT $4`,
)

/** The position of the newest published event, and all calls by status as of it. */
export const readFloorHead = statement<
  [],
  { readonly position: number; readonly counts: Readonly<Record<CallStatus, number>> }
>(
  'read_floor_head',
  `SELECT position, (SELECT jsonb_object_agg(status, calls) FROM status_counts) AS counts
   FROM feed_head`,
)

/** The counts of an empty floor. */
export const noCalls: Readonly<Record<CallStatus, number>> = {
  IN_PROGRESS: 0,
  COMPLETED: 0,
  PROCESSING_AI: 0,
  FAILED: 0,
  ARCHIVED: 0,
}

const waits = `(status = 'COMPLETED' OR (status = 'PROCESSING_AI' AND lease_owner IS NULL))`

/** Calls that wait for their analysis, and since when the oldest does; failed ones wait for another try. */
export const readBacklog = statement<
  [],
  {
    readonly waiting: number
    readonly running: number
    readonly failing: number
    readonly oldest_at: Date | null
  }
>(
  'read_backlog',
  `SELECT
     count(*) FILTER (WHERE ${waits})::integer AS waiting,
     count(*) FILTER (WHERE status = 'PROCESSING_AI' AND lease_owner IS NOT NULL)::integer AS running,
     count(*) FILTER (WHERE status = 'FAILED' AND due_at IS NOT NULL)::integer AS failing,
     min(completed_at) FILTER (WHERE ${waits}) AS oldest_at
   FROM calls
   WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')
     AND due_at IS NOT NULL`,
)

/**
 * Calls whose next step is overdue by more than 30 s and at which nobody is. A call that waits for its turn is not
 * overdue while others are analysed, or while no AI service may be asked.
 */
export const countOverdue = statement<[], { readonly overdue: number }>(
  'count_overdue',
  `SELECT (
     SELECT count(*) FROM calls
     WHERE (status = 'IN_PROGRESS' OR (status = 'COMPLETED' AND ai_processed_at IS NOT NULL))
       AND due_at < clock_timestamp() - interval '30 s'
   ) + CASE
     WHEN EXISTS (SELECT FROM provider_requests WHERE expires_at > clock_timestamp())
       OR NOT EXISTS (SELECT FROM providers
         WHERE state IN ('closed', 'half_open') OR retry_at < clock_timestamp() - interval '30 s')
     THEN 0
     ELSE (
       SELECT count(*) FROM calls
       WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')
         AND due_at < clock_timestamp() - interval '30 s')
     END AS overdue`,
)
