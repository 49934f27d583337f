// An event as the JSON message that supervisors receive.
import { resultAsSeen } from '../calls/roles.ts'
import type { FeedEvent } from './event-log.ts'

/** The message of an event, serialised once for all who receive it. */
export function eventMessage(event: FeedEvent): string {
  const common = {
    call_id: event.call_id,
    timestamp: event.created_at.toISOString(),
    position: event.position,
  }
  switch (event.kind) {
    case 'transition':
      // To no status at all: the call was erased, and this is what is left of it.
      if (event.status === null)
        return JSON.stringify({
          type: 'call_event',
          event: 'call_erased',
          data: {},
          ...common,
        })
      return JSON.stringify({
        type: 'call_update',
        status: event.status,
        data: { previous_status: event.old_status, version: event.version, ...event.data },
        ...common,
      })
    case 'result':
      return JSON.stringify({
        type: 'ai_result',
        ...resultAsSeen(event, event.exchanged === true),
        ...common,
      })
    case 'attempt':
      return JSON.stringify({ type: 'analysis_attempt', data: event.data, ...common })
    case 'media': {
      const { event: name, ...data } = event.data
      return JSON.stringify({ type: 'call_event', event: name, data, ...common })
    }
  }
}

/** The first message of a connection. */
export function connectedMessage(clientId: string, position: number, now: Date): string {
  return JSON.stringify({
    type: 'connected',
    message: `Welcome client ${clientId}`,
    timestamp: now.toISOString(),
    position,
  })
}

/** The answer to whatever a client says. */
export function pongMessage(received: string, now: Date): string {
  return JSON.stringify({ type: 'pong', received, timestamp: now.toISOString() })
}

/** What a client is told whose position says nothing here: what it knows may be wrong. */
export function resyncMessage(position: number): string {
  return JSON.stringify({ type: 'resync', position })
}
