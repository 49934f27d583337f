// Streams of media as a protocol writes them, without a connection.
import {
  endMediaStream,
  type StartedStream,
  startMediaStream,
} from '../../src/calls/media-streams.ts'
import type { Pool } from '../../src/database/pool.ts'
import { commitParameters } from '../../src/ledger/batch.ts'
import type { TrackName } from '../../src/ledger/packet.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import { groupOf, makeDue, packetOf } from './calls.ts'

/** Seconds, as the settings say by default. */
export const times = { packetTimeout: 300, grace: 2.5, reconnect: 10 }

/** How a stream is begun; by default an unnumbered one of the customer. */
export type StreamChange = {
  readonly streamId?: string
  readonly tracks?: readonly TrackName[]
  readonly format?: Readonly<Record<string, unknown>>
  readonly isNumbered?: boolean
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly insist?: boolean
}

/** Begins a stream; undefined: another one carries its track. */
export async function tryStream(
  pool: Pool,
  callId: string,
  change: StreamChange = {},
): Promise<StartedStream | undefined> {
  const [started] = await startMediaStream(
    pool,
    callId,
    'twilio',
    change.streamId ?? 'MZ1',
    change.tracks ?? ['inbound'],
    JSON.stringify(change.format ?? { encoding: 'PCMU', rate: 8000, clock: 'sender' }),
    change.isNumbered ?? false,
    JSON.stringify(change.metadata ?? {}),
    times.packetTimeout,
    change.insist ?? false,
  )
  return started
}

/** Begins a stream that nothing is in the way of. */
export async function beginStream(
  pool: Pool,
  callId: string,
  change: StreamChange = {},
): Promise<StartedStream> {
  const started = await tryStream(pool, callId, change)
  if (started === undefined) throw new Error(`the stream of ${callId} was not begun`)
  return started
}

/** Ends a stream; true: its call was completed. */
export async function endStream(
  pool: Pool,
  { stream }: StartedStream,
  by: 'stopped' | 'disconnected',
): Promise<boolean> {
  const [ended] = await endMediaStream(pool, stream, by, '{}', times.reconnect, times.grace)
  return ended?.completed === true
}

/** Stores packets `first` to `last` of a track. */
export async function storeMedia(
  pool: Pool,
  callId: string,
  track: TrackName,
  first: number,
  last: number,
): Promise<void> {
  const packets = Array.from({ length: last - first + 1 }, (_, index) =>
    packetOf(callId, first + index, { track, encoding: 'binary' }),
  )
  const [group] = await commitPackets(
    pool,
    ...commitParameters([groupOf(packets)]),
    times.packetTimeout,
  )
  if (group?.outcome !== 'stored') throw new Error(`${callId} was not stored`)
}

/** Lets time pass for a call: all that happened on its media was so many seconds earlier. */
export async function passTime(pool: Pool, call: number, seconds: number): Promise<void> {
  const earlier = 'make_interval(secs => $2)'
  await pool.query(
    `UPDATE media_streams SET started_at = started_at - ${earlier}, ended_at = ended_at - ${earlier}
     WHERE call = $1`,
    [call, seconds],
  )
  await pool.query(
    `UPDATE tracks SET last_packet_at = last_packet_at - ${earlier} WHERE call = $1`,
    [call, seconds],
  )
  await pool.query(`UPDATE calls SET created_at = created_at - ${earlier} WHERE id = $1`, [
    call,
    seconds,
  ])
  await makeDue(pool, call)
}

/** The media events of a call, in order. */
export async function mediaEventsOf(pool: Pool, call: number): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query(
    `SELECT data FROM events WHERE call = $1 AND kind = 'media' ORDER BY id`,
    [call],
  )
  return rows.map(({ data }) => data)
}
