// The packets of a track as of a moment, in ascending order of sequence, with or without what they hold.
import type { Queryable } from '../database/statement.ts'
import { inSequence, type OrderedPackets, type PacketSegment } from '../ledger/in-sequence.ts'
import type { TrackName } from '../ledger/packet.ts'
import { mapSegment } from '../ledger/segment.ts'
import { type RecordedSegment, readRecordedSegments } from './statements.ts'

/** A packet of a track. */
export type RecordedPacket = {
  readonly sequence: number
  readonly timestamp: number
  /** Bytes of the payload; of text, before it is decoded. */
  readonly size: number
  /** Raw media; null where it was not asked for. */
  readonly payload: Uint8Array | null
}

/** Which packets are read. */
export type PacketSelection = {
  /** The `id` of the call. */
  readonly call: number
  readonly track: TrackName
  /** Only segments committed up to then, in microseconds of the epoch. */
  readonly asOf: number
  /** Only segments from this first sequence on; default: all. */
  readonly from?: number
  /** What of the payload is read: all, only what came as base64 text (its size tells little), or nothing. */
  readonly payload: 'all' | 'text' | 'none'
}

/** Segments are of any size: of large ones fewer are read at once. */
const mostSegmentsPerRead = 100
const usualBytesPerRead = 2 ** 20

/** Reads packets of a track. */
export function readRecordedPackets(
  db: Queryable,
  selection: PacketSelection,
): AsyncGenerator<OrderedPackets<RecordedPacket>> {
  return inSequence(segmentsOf(db, selection))
}

async function* segmentsOf(
  db: Queryable,
  { call, track, asOf, from = 0, payload }: PacketSelection,
): AsyncGenerator<PacketSegment<RecordedPacket>> {
  let after = from - 1
  let limit = 8
  while (true) {
    const segments = await readRecordedSegments(
      db,
      call,
      track,
      after,
      limit,
      payload === 'all',
      payload === 'text',
      asOf,
    )
    let bytes = 0
    for (const segment of segments) {
      after = segment.first_sequence
      bytes += segment.payload?.length ?? 0
      yield { first_sequence: after, packets: unpack(segment) }
    }
    if (segments.length < limit) return
    limit =
      bytes > usualBytesPerRead ? Math.ceil(limit / 2) : Math.min(limit * 2, mostSegmentsPerRead)
  }
}

function unpack(segment: RecordedSegment): RecordedPacket[] {
  const { encoding, payload } = segment
  return mapSegment(segment, ({ sequence, timestamp, start, end }) => {
    const bytes = payload?.subarray(start, end) ?? null
    return {
      sequence,
      timestamp,
      size: end - start,
      payload: encoding === 'text' && bytes !== null ? fromBase64(bytes) : bytes,
    }
  })
}

function fromBase64(text: Buffer): Buffer {
  return Buffer.from(text.toString('latin1'), 'base64')
}
