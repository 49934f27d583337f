import { statement } from '../database/statement.ts'

/** Says how the audio of a track is coded; what was said before stays, and a track without packets has none. */
export const declareMediaFormat = statement<[callId: string, track: string, format: string], never>(
  'declare_media_format',
  `WITH call AS (SELECT id FROM calls WHERE call_id = $1::text COLLATE "C" FOR NO KEY UPDATE)
   UPDATE tracks SET media_format = $3::jsonb FROM call
   WHERE tracks.call = call.id AND track = $2::text::track_name AND media_format IS NULL`,
)
