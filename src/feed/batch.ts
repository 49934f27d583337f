// Events as the bytes that clients receive: the same for all of them, so made once, and written in one piece.
import type { FeedEvent } from './event-log.ts'
import { textFrame } from './frame.ts'
import { eventMessage } from './messages.ts'

/** Events in their order, as WebSocket frames. */
export type Batch = {
  /** The position of the last one. */
  readonly last: number
  /** The frames of those after a position, in one piece. */
  readonly after: (position: number) => Buffer
}

/** A batch is full with so many bytes; its last event may go beyond. */
const fullBytes = 2 ** 18

/** Makes batches of events, so that nobody is given more than a batch before it is seen whether it reads. */
export function* batchesOf(events: readonly FeedEvent[]): Generator<Batch> {
  let positions: number[] = []
  let frames: Buffer[] = []
  let bytes = 0
  for (const event of events) {
    const frame = textFrame(eventMessage(event))
    positions.push(event.position)
    frames.push(frame)
    bytes += frame.length
    if (bytes < fullBytes) continue
    yield batchOf(positions, frames)
    positions = []
    frames = []
    bytes = 0
  }
  if (frames.length > 0) yield batchOf(positions, frames)
}

function batchOf(positions: readonly number[], frames: readonly Buffer[]): Batch {
  const all = Buffer.concat(frames)
  const first = positions[0] ?? 0
  return {
    last: positions.at(-1) ?? 0,
    after: (position) => {
      if (position < first) return all
      return Buffer.concat(frames.filter((_, index) => (positions[index] ?? 0) > position))
    },
  }
}
