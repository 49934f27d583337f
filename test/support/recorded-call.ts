// Calls whose packets are audio, stored by the product's own statements.

import { rangeOf } from '../../src/byte-range.ts'
import type { Pool } from '../../src/database/pool.ts'
import { appendParameters, commitParameters } from '../../src/ledger/batch.ts'
import type { Packet, TrackName } from '../../src/ledger/packet.ts'
import { appendPackets, commitPackets } from '../../src/ledger/statements.ts'
import { groupOf, readCall } from './calls.ts'

/** How audio is cut into packets. */
export type Cut = {
  /** Bytes of a packet. */
  readonly bytes: number
  /** Seconds of a packet. */
  readonly seconds: number
  /** The timestamp of packet 1. */
  readonly from?: number
}

const telephone: Cut = { bytes: 160, seconds: 0.02 }

/** The packets of a track, numbered from 1: 20 ms of 8 kHz G.711 each, unless said otherwise. */
export function packetsOf(
  callId: string,
  track: TrackName,
  audio: Uint8Array,
  { bytes, seconds, from = 0 }: Cut = telephone,
): Packet[] {
  return Array.from({ length: Math.ceil(audio.length / bytes) }, (_, index) => ({
    callId,
    track,
    sequence: index + 1,
    timestamp: from + index * seconds,
    encoding: 'binary' as const,
    ...rangeOf(audio.subarray(index * bytes, (index + 1) * bytes)),
  }))
}

/** Stores packets the short way or the long one, so many to a segment; returns the `id` of their call. */
export async function storePackets(
  pool: Pool,
  packets: readonly Packet[],
  perSegment = 50,
): Promise<number> {
  const callId = packets[0]?.callId ?? ''
  let call: number | null = null
  for (let first = 0; first < packets.length; first += perSegment) {
    const group = groupOf(packets.slice(first, first + perSegment))
    if (call !== null) {
      const [result] = await appendPackets(pool, `{${call}}`, ...appendParameters([group]))
      if (result?.stored === 1) continue
    }
    const [stored] = await commitPackets(pool, ...commitParameters([group]), 300)
    if (stored?.outcome !== 'stored') throw new Error(`${callId}: ${stored?.outcome}`)
    call = stored.call
  }
  return (await readCall(pool, callId)).id
}

/** Begins a stream of media, as a PBX does; returns the `id` of its call. */
export async function startStream(
  pool: Pool,
  callId: string,
  tracks: readonly TrackName[],
  format: DeclaredFormat,
): Promise<number> {
  const { rows } = await pool.query<{ call: number }>(
    `SELECT call FROM start_media_stream($1, 'test', 'stream', $2::text[]::track_name[], $3, true, '{}', 300, false)`,
    [callId, tracks, format],
  )
  const call = rows[0]?.call
  if (call === undefined) throw new Error(`${callId} was not started`)
  return call
}

/** The format of a track, as the database keeps it. */
export type DeclaredFormat = {
  readonly encoding: string
  readonly rate: number
  readonly clock: 'sender' | 'arrival'
}

/** Declares the format of a track, or of all tracks of a call. */
export async function declareFormat(
  pool: Pool,
  call: number,
  format: {
    readonly encoding: string
    readonly rate: number
    readonly clock: 'sender' | 'arrival'
  },
  track?: TrackName,
): Promise<void> {
  await pool.query(
    'UPDATE tracks SET media_format = $2 WHERE call = $1 AND ($3::text IS NULL OR track = $3::text::track_name)',
    [call, format, track ?? null],
  )
}

/** Telephone audio with the sender's clock. */
export const muLaw = { encoding: 'PCMU', rate: 8000, clock: 'sender' } as const
