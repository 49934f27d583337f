// Events as the bytes that clients receive: the same for all of them, so made once, and written in one piece.
import type { FeedEvent } from './event-log.ts'
import { type FeedFilter, passes } from './filter.ts'
import { textFrame } from './frame.ts'
import { eventMessage } from './messages.ts'

/** Events in their order, as WebSocket frames. */
export type Batch = {
  /** The position of the last one. */
  readonly last: number
  /** The frames of those after a position that pass a filter, in one piece; empty when there are none. */
  readonly after: (position: number, filter?: FeedFilter) => Buffer
}

/** A batch is full with so many bytes; its last event may go beyond. */
const fullBytes = 2 ** 18

/** Makes batches of events, so that nobody is given more than a batch before it is seen whether it reads. */
export function* batchesOf(events: readonly FeedEvent[]): Generator<Batch> {
  let framed: FramedEvent[] = []
  let bytes = 0
  for (const event of events) {
    const frame = textFrame(eventMessage(event))
    framed.push({ event, frame })
    bytes += frame.length
    if (bytes < fullBytes) continue
    yield batchOf(framed)
    framed = []
    bytes = 0
  }
  if (framed.length > 0) yield batchOf(framed)
}

type FramedEvent = { readonly event: FeedEvent; readonly frame: Buffer }

function batchOf(framed: readonly FramedEvent[]): Batch {
  const all = Buffer.concat(framed.map(({ frame }) => frame))
  const first = framed[0]?.event.position ?? 0
  return {
    last: framed.at(-1)?.event.position ?? 0,
    after: (position, filter) => {
      if (position < first && filter === undefined) return all
      return Buffer.concat(
        framed.flatMap(({ event, frame }) =>
          event.position > position && (filter === undefined || passes(filter, event))
            ? [frame]
            : [],
        ),
      )
    },
  }
}
