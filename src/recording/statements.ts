import type { CallStatus } from '../calls/transitions.ts'
import { statement } from '../database/statement.ts'
import type { TrackName } from '../ledger/packet.ts'
import type { PacketsOfSegment } from '../ledger/segment.ts'
import type { Silence } from '../ledger/track-layout.ts'

/** What a recording needs to know of a call. */
export type RecordedCall = {
  readonly id: number
  readonly call_id: string
  readonly status: CallStatus
  readonly tracks_swapped: boolean
}

/** The call of that call id. */
export const findRecordedCall = statement<[callId: string], RecordedCall>(
  'find_recorded_call',
  `SELECT id, call_id, status, tracks_swapped FROM calls WHERE call_id = $1::text COLLATE "C"`,
)

/** The account of a track, and what tells where its audio stands in the call. */
export type RecordedTrack = {
  readonly track: TrackName
  /** See `parseTrackFormat`. */
  readonly media_format: unknown
  readonly packets: number
  readonly duplicates: number
  /** Everything that came after a higher number. */
  readonly late: number
  /** PostgreSQL's text of an int8multirange. */
  readonly missing: string
  readonly missing_count: number
  /** In order. */
  readonly silences: readonly Silence[]
  /** The first stream of media that carried the track; null: it came over HTTP. */
  readonly stream: number | null
  /**
   * When its first and its last segment were committed, in microseconds of the epoch; null when there is none, or
   * it was not asked for.
   */
  readonly received_from: number | null
  readonly received_to: number | null
}

/** The tracks of a call; when they were received costs a look at each segment. */
export const listRecordedTracks = statement<[call: number, withTimes: boolean], RecordedTrack>(
  'list_recorded_tracks',
  `SELECT track::text, media_format, packets, duplicates, late,
     missing_of_track(tracks)::text AS missing,
     multirange_size(missing_of_track(tracks)) + missing_below AS missing_count,
     (SELECT coalesce(json_agg(json_build_object('before_sequence', before_sequence,
        'milliseconds', milliseconds, 'cause', cause) ORDER BY before_sequence, cause), '[]')
      FROM silences
      WHERE silences.call = tracks.call AND silences.track = tracks.track) AS silences,
     (SELECT min(id) FROM media_streams
      WHERE media_streams.call = tracks.call AND tracks.track = ANY (media_streams.tracks)) AS stream,
     received.first AS received_from, received.last AS received_to
   FROM tracks CROSS JOIN LATERAL (
     SELECT (extract(epoch FROM min(received_at)) * 1000000)::bigint AS first,
       (extract(epoch FROM max(received_at)) * 1000000)::bigint AS last
     FROM segments WHERE $2 AND segments.call = tracks.call AND segments.track = tracks.track
   ) AS received
   WHERE tracks.call = $1 ORDER BY tracks.track`,
)

/** A row of `segments`; `payload` is null where it was neither asked for nor needed. */
export type RecordedSegment = PacketsOfSegment & {
  readonly encoding: 'text' | 'binary'
  readonly payload: Buffer | null
  /** When it was committed, in microseconds of the epoch. */
  readonly received: number
}

/**
 * The next segments of a track by their first sequence, as of a moment. The segments of a call are committed one
 * after the other, so those received up to one of them are a state in which the track once was.
 */
export const readRecordedSegments = statement<
  [
    call: number,
    track: TrackName,
    after: number,
    limit: number,
    withPayload: boolean,
    withText: boolean,
    asOf: number,
  ],
  RecordedSegment
>(
  'read_recorded_segments',
  `SELECT first_sequence, encoding::text, sequences, timestamps, sizes,
     CASE WHEN $5 OR ($6 AND encoding = 'text') THEN payload END AS payload,
     (extract(epoch FROM received_at) * 1000000)::bigint AS received
   FROM segments
   WHERE call = $1 AND track = $2::text::track_name AND first_sequence > $3
     AND (extract(epoch FROM received_at) * 1000000)::bigint <= $7
   ORDER BY first_sequence LIMIT $4`,
)

/**
 * Of the packets of a track that came after a higher number: how many came later than so many milliseconds after
 * the first higher one.
 */
export const countLate = statement<
  [call: number, track: TrackName, deadlineMs: number],
  { readonly late: number }
>(
  'count_late',
  `SELECT count(*) FILTER (WHERE sequence < highest_before) AS late FROM (
     SELECT sequence, max(sequence) OVER (ORDER BY milliseconds
       RANGE BETWEEN UNBOUNDED PRECEDING AND $3::float8 PRECEDING) AS highest_before
     FROM segments,
       unnest(coalesce(sequences, ARRAY(SELECT generate_series(first_sequence, last_sequence))))
         AS sequence,
       LATERAL (SELECT (extract(epoch FROM received_at) * 1000)::float8 AS milliseconds) AS clock
     WHERE call = $1 AND track = $2::text::track_name) AS packets`,
)
