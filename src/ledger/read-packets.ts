// The packets of a call in ascending order of sequence, whatever the order they came in, in memory that does
// not grow with the length of the call.
import type { Queryable } from '../database/statement.ts'
import { inSequence, type PacketSegment } from './in-sequence.ts'
import { type TrackName, trackNames } from './packet.ts'
import { mapSegment } from './segment.ts'
import { readSegments, type Segment } from './statements.ts'

/** A packet as it was stored. */
export type StoredPacket = {
  readonly track: TrackName
  readonly sequence: number
  readonly timestamp: number
  readonly payload: Uint8Array
}

const segmentsPerRead = 100

/** Yields all packets of a call (by its `id`), or those of some tracks, one track after the other. */
export async function* readPackets(
  db: Queryable,
  call: number,
  tracks: readonly TrackName[] = trackNames,
): AsyncGenerator<StoredPacket> {
  for (const track of tracks)
    for await (const { packets } of inSequence(segmentsOf(db, call, track))) yield* packets
}

async function* segmentsOf(
  db: Queryable,
  call: number,
  track: TrackName,
): AsyncGenerator<PacketSegment<StoredPacket>> {
  let after = -1
  while (true) {
    const segments = await readSegments(db, call, track, after, segmentsPerRead)
    for (const segment of segments) {
      const { first_sequence } = segment
      yield { first_sequence, packets: unpack(track, segment) }
      after = first_sequence
    }
    if (segments.length < segmentsPerRead) return
  }
}

function unpack(track: TrackName, segment: Segment): StoredPacket[] {
  return mapSegment(segment, ({ start, end, ...packet }) => ({
    track,
    ...packet,
    payload: segment.payload.subarray(start, end),
  }))
}
