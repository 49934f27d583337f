// Silences of a stream that were told too long: what is left of them.
import type { SilenceCause } from '../../calls/media-streams.ts'
import { statement } from '../../database/statement.ts'

/**
 * Shortens silences, each to so many milliseconds, from 0: then there was none. Those that are as short already stay
 * as they are, so the same again changes nothing. Who watches the call is told of each anew.
 */
export const shortenSilences = statement<
  [
    call: number,
    tracks: readonly string[],
    beforeSequences: readonly number[],
    milliseconds: readonly number[],
    causes: readonly SilenceCause[],
  ],
  never
>(
  'shorten_silences',
  `WITH shorter AS (
     SELECT track, before_sequence, cause, given.milliseconds
     FROM unnest($2::text[]::track_name[], $3::bigint[], $4::float8[], $5::text[])
       AS given (track, before_sequence, milliseconds, cause)
     JOIN silences USING (track, before_sequence, cause)
     WHERE call = $1 AND given.milliseconds < silences.milliseconds
   ), shortened AS (
     UPDATE silences SET milliseconds = shorter.milliseconds FROM shorter
     WHERE call = $1 AND silences.track = shorter.track AND silences.cause = shorter.cause
       AND silences.before_sequence = shorter.before_sequence AND shorter.milliseconds > 0
   ), dropped AS (
     DELETE FROM silences USING shorter
     WHERE call = $1 AND silences.track = shorter.track AND silences.cause = shorter.cause
       AND silences.before_sequence = shorter.before_sequence AND shorter.milliseconds = 0
   )
   INSERT INTO events (call, call_id, kind, version, status, data)
   SELECT calls.id, call_id, 'media', version, status, jsonb_build_object('event', 'no_audio',
     'track', track, 'before_sequence', before_sequence, 'milliseconds', milliseconds,
     'cause', cause)
   FROM shorter CROSS JOIN calls WHERE calls.id = $1`,
)
