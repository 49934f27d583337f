// What a database holds of a call that came by a media protocol, read with statements of its own.
import type { Pool } from '../../src/database/pool.ts'
import { storedPackets } from './stored-packets.ts'
import { until } from './until.ts'

/** What happened on the media of a call, in order. */
export async function mediaEvents(pool: Pool, callId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query<{ data: Record<string, unknown> }>(
    `SELECT data FROM events WHERE call_id = $1 AND kind = 'media' ORDER BY id`,
    [callId],
  )
  return rows.map(({ data }) => data)
}

/** Waits until so many streams of a call have ended; all that happened on its media. */
export async function endedStreams(
  pool: Pool,
  callId: string,
  streams = 1,
): Promise<Record<string, unknown>[]> {
  return await until(`${callId} has ${streams} ended streams`, async () => {
    const events = await mediaEvents(pool, callId)
    const ended = events.filter(({ event }) => event === 'stream_ended')
    return ended.length === streams && events
  })
}

/** The audio of a track as it is stored, packet after packet. */
export async function storedAudio(pool: Pool, callId: string, track: string): Promise<Buffer> {
  const packets = await storedPackets(pool, callId)
  return Buffer.concat(packets.filter((packet) => packet.track === track).map(({ data }) => data))
}

/** The silences of a call. */
export async function storedSilences(pool: Pool, callId: string) {
  const { rows } = await pool.query<{
    track: string
    before_sequence: number
    milliseconds: number
    cause: string
  }>(
    `SELECT track::text, before_sequence::int, milliseconds, cause FROM silences
     WHERE call = (SELECT id FROM calls WHERE call_id = $1) ORDER BY track, before_sequence, cause`,
    [callId],
  )
  return rows
}
