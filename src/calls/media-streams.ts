// The streams of media of a call, as the database keeps them.
import { statement } from '../database/statement.ts'

/** Why a stream ended: the PBX said that its call is over, or the connection was lost. */
export type StreamEnd = 'stopped' | 'disconnected'

/** Why no audio came for a time of which no missing sequence tells. */
export type SilenceCause = 'clock' | 'reported' | 'reconnect' | 'paused' | 'overload'

/** A stream that was begun. */
export type StartedStream = {
  /** The `id` of its call. */
  readonly call: number
  /** The call id asked for, or one with `~2`, `~3` … if that call is over. */
  readonly call_id: string
  readonly stream: number
  /** Per track: what is added to the number of a packet on this stream to get its sequence. */
  readonly bases: number[]
  /** Per track: milliseconds since its last packet; null before the first. */
  readonly quiet_ms: (number | null)[]
}

/** Begins a stream; no row while another one carries one of its tracks. See the migration. */
export const startMediaStream = statement<
  [
    callId: string,
    protocol: string,
    streamId: string,
    tracks: readonly string[],
    format: string,
    isNumbered: boolean,
    metadata: string,
    packetTimeoutSeconds: number,
    insist: boolean,
  ],
  StartedStream
>(
  'start_media_stream',
  `SELECT call, call_id, stream, bases, quiet_ms
   FROM start_media_stream($1, $2, $3, $4::text[]::track_name[], $5, $6, $7, $8, $9)`,
)

/** Ends a stream; whether that completed its call. */
export const endMediaStream = statement<
  [
    stream: number,
    endedBy: StreamEnd,
    data: string,
    reconnectSeconds: number,
    graceSeconds: number,
  ],
  { readonly completed: boolean }
>('end_media_stream', 'SELECT end_media_stream($1, $2, $3, $4, $5) AS completed')

/** Tells of something that happened on the media of a call. */
export const noteMediaEvent = statement<[call: number, data: string], never>(
  'note_media_event',
  'SELECT FROM note_media_event($1, $2)',
)

/** Keeps silences; the same one again changes nothing. */
export const recordSilences = statement<
  [
    call: number,
    tracks: readonly string[],
    beforeSequences: readonly number[],
    milliseconds: readonly number[],
    causes: readonly SilenceCause[],
  ],
  never
>('record_silences', 'SELECT FROM record_silences($1, $2::text[]::track_name[], $3, $4, $5)')
