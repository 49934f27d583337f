// Events as Server-Sent Events (WHATWG HTML, 9.2): made once for all who hear them. Pure.
import type { Static } from 'typebox'
import type { FloorCall } from '../calls/floor-view.ts'
import type { FeedEvent } from './event-log.ts'
import { type EventType, type FeedFilter, passes, typeOf } from './filter.ts'
import { eventMessage } from './messages.ts'

/** An event with its text. */
export type StreamEvent = Pick<
  FeedEvent,
  'position' | 'call_id' | 'kind' | 'status' | 'old_status'
> & { readonly text: string }

/** Lines of calls, by call id. */
export type FloorCalls = ReadonlyMap<string, Static<typeof FloorCall>>

/** Makes the texts of events; each carries the line of its call as it is now, null for one that is gone. */
export function streamEventsOf(events: readonly FeedEvent[], calls: FloorCalls): StreamEvent[] {
  return events.map((event) => {
    const { position, call_id, kind, status, old_status } = event
    const call = JSON.stringify(calls.get(call_id) ?? null)
    const message = `${eventMessage(event).slice(0, -1)},"call":${call}}`
    const text = textOf(typeOf(event), message, position)
    return { position, call_id, kind, status, old_status, text }
  })
}

/** Writes an event; with an id, a client that comes back resumes after it. */
export function textOf(
  name: EventType | 'snapshot' | 'tick' | 'resync' | 'conflated',
  json: string,
  id?: number,
): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${json}\n\n`
}

/** Those after a position that pass a filter. */
export function wanted(
  events: readonly StreamEvent[],
  after: number,
  filter: FeedFilter | undefined,
): StreamEvent[] {
  return events.filter(
    (event) => event.position > after && (filter === undefined || passes(filter, event)),
  )
}

/** The newest event of every call, in their order, and how many calls had more than one. */
export function conflate(events: readonly StreamEvent[]): {
  readonly newest: StreamEvent[]
  readonly calls: number
} {
  const newest = new Map<string, StreamEvent>()
  const conflated = new Set<string>()
  for (const event of events) {
    if (newest.delete(event.call_id)) conflated.add(event.call_id)
    newest.set(event.call_id, event)
  }
  return { newest: [...newest.values()], calls: conflated.size }
}
