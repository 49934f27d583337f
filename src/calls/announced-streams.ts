// Who speaks on an AudioSocket, whose protocol names nothing but a UUID: said before it connects.
import { statement } from '../database/statement.ts'

/** What was announced of a stream. */
export type AnnouncedStream = {
  readonly call_id: string
  readonly track: 'inbound' | 'outbound' | 'mixed'
  /** How the audio is coded, where the protocol does not say it or says it wrongly; null: as it says. */
  readonly encoding: 'PCMU' | 'PCMA' | 'L16' | 'G722' | 'OPUS' | null
}

/** An announcement as it is stored. */
export type Announcement = AnnouncedStream & {
  /** In lower case. */
  readonly stream_id: string
  readonly announced_at: Date
}

const columns = 'stream_id, call_id, track, encoding, announced_at'

/** What was announced under a UUID, in lower case; no row: nothing. */
export const findAnnouncedStream = statement<[uuid: string], Announcement>(
  'find_announced_stream',
  `SELECT ${columns} FROM announced_streams WHERE stream_id = $1::text COLLATE "C"`,
)

/** Announces a stream; what was announced under the UUID before is replaced. */
export const announceStream = statement<
  [uuid: string, callId: string, track: string, encoding: string | null],
  Announcement
>(
  'announce_stream',
  `INSERT INTO announced_streams (stream_id, call_id, track, encoding)
   VALUES ($1, $2, $3::text::track_name, $4)
   ON CONFLICT (stream_id) DO UPDATE SET call_id = EXCLUDED.call_id, track = EXCLUDED.track,
     encoding = EXCLUDED.encoding, announced_at = EXCLUDED.announced_at
   RETURNING ${columns}`,
)

/** Takes an announcement back; no row: there was none. */
export const withdrawAnnouncement = statement<[uuid: string], { readonly stream_id: string }>(
  'withdraw_announcement',
  'DELETE FROM announced_streams WHERE stream_id = $1::text COLLATE "C" RETURNING stream_id',
)

/** Removes announcements of a certain age, oldest first; how many. */
export const forgetAnnouncedStreams = statement<
  [ageSeconds: number, limit: number],
  { readonly forgotten: number }
>(
  'forget_announced_streams',
  `WITH forgotten AS (
     DELETE FROM announced_streams WHERE stream_id IN (
       SELECT stream_id FROM announced_streams
       WHERE announced_at < clock_timestamp() - make_interval(secs => $1)
       ORDER BY announced_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING stream_id
   ) SELECT count(*) AS forgotten FROM forgotten`,
)
