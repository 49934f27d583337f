// The packets of a call in ascending order of sequence, whatever the order they came in, in memory that does
// not grow with the length of the call.
import type { Queryable } from '../database/statement.ts'
import { type TrackName, trackNames } from './packet.ts'
import { readSegments, type Segment } from './statements.ts'

/** A packet as it was stored. */
export type StoredPacket = {
  readonly track: TrackName
  readonly sequence: number
  readonly timestamp: number
  readonly payload: Uint8Array
}

const segmentsPerRead = 100

/** Yields all packets of a call (by its `id`), one track after the other. */
export async function* readPackets(db: Queryable, call: number): AsyncGenerator<StoredPacket> {
  for (const track of trackNames) yield* readTrack(db, call, track)
}

async function* readTrack(
  db: Queryable,
  call: number,
  track: TrackName,
): AsyncGenerator<StoredPacket> {
  // A segment starts at its least sequence and segments come by that, so what lies below the next one's
  // start is complete; only packets of segments that overlap wait.
  const waiting: StoredPacket[] = []
  let after = -1
  while (true) {
    const segments = await readSegments(db, call, track, after, segmentsPerRead)
    for (const segment of segments) {
      const ready = waiting.findIndex(({ sequence }) => sequence > segment.first_sequence)
      yield* waiting.splice(0, ready === -1 ? waiting.length : ready)
      for (const packet of unpack(track, segment)) insertInOrder(waiting, packet)
      after = segment.first_sequence
    }
    if (segments.length < segmentsPerRead) break
  }
  yield* waiting
}

function insertInOrder(waiting: StoredPacket[], packet: StoredPacket): void {
  let low = 0
  let high = waiting.length
  // Packets mostly arrive in order: look at the end first.
  if ((waiting.at(-1)?.sequence ?? -1) < packet.sequence) low = high
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((waiting[middle]?.sequence ?? 0) < packet.sequence) low = middle + 1
    else high = middle
  }
  waiting.splice(low, 0, packet)
}

function unpack(track: TrackName, segment: Segment): StoredPacket[] {
  let start = 0
  return segment.sequences.map((sequence, index) => {
    const end = start + (segment.sizes[index] ?? 0)
    const payload = segment.payload.subarray(start, end)
    start = end
    return { track, sequence, timestamp: segment.timestamps[index] ?? 0, payload }
  })
}
