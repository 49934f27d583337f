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

const piece = 2 ** 18

/** The texts of events as one. */
export function joined(events: readonly StreamEvent[]): string {
  return events.map(({ text }) => text).join('')
}

/** Events in parts, none much longer than a quarter of a megabyte. */
export function* inPieces(events: readonly StreamEvent[]): Generator<StreamEvent[]> {
  let some: StreamEvent[] = []
  let characters = 0
  for (const event of events) {
    some.push(event)
    characters += event.text.length
    if (characters < piece) continue
    yield some
    some = []
    characters = 0
  }
  if (some.length > 0) yield some
}

/** The newest event of every call, in their order, as it is gathered page by page. */
export class NewestEvents {
  readonly #newest = new Map<string, StreamEvent>()
  readonly #conflated = new Set<string>()
  #characters = 0

  add(events: readonly StreamEvent[]): void {
    for (const event of events) {
      const before = this.#newest.get(event.call_id)
      if (before !== undefined) {
        this.#newest.delete(event.call_id)
        this.#conflated.add(event.call_id)
        this.#characters -= before.text.length
      }
      this.#newest.set(event.call_id, event)
      this.#characters += event.text.length
    }
  }

  get events(): StreamEvent[] {
    return [...this.#newest.values()]
  }

  /** How many calls had more than one event. */
  get conflated(): number {
    return this.#conflated.size
  }

  /** The length of the texts of the events. */
  get characters(): number {
    return this.#characters
  }
}
