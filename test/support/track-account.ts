import type { Pool } from '../../src/database/pool.ts'

/** What the database counts of a track, and the format that it was declared to have. */
export async function trackAccount(pool: Pool, callId: string, track: string) {
  await pool.query('SELECT settle_call($1)', [callId])
  const { rows } = await pool.query<{ packets: number; duplicates: number; format: unknown }>(
    `SELECT packets::int, duplicates::int, media_format AS format FROM tracks
     WHERE call = (SELECT id FROM calls WHERE call_id = $1) AND track = $2::text::track_name`,
    [callId, track],
  )
  const [row] = rows
  if (row === undefined) throw new Error(`${callId} has no track ${track}`)
  return row
}
