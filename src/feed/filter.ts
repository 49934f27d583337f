// What of the feed a client wants to hear. Pure.
import Type from 'typebox'
import { callIdPattern } from '../calls/call-id.ts'
import { type CallStatus, callStatuses } from '../calls/transitions.ts'
import type { FeedEvent } from './event-log.ts'

/** The types of events. */
export const eventTypes = ['call_update', 'ai_result', 'analysis_attempt', 'call_event'] as const
export type EventType = (typeof eventTypes)[number]

/** What a client wants to hear: events for which all that is given is so. */
export type FeedFilter = {
  readonly call?: string | undefined
  /** Events of calls in this state, and those that leave it. */
  readonly status?: CallStatus | undefined
  readonly type?: EventType | undefined
}

/** The parameters of a filter in a query. */
export const filterParameters = {
  call: Type.Optional(
    Type.String({ pattern: callIdPattern, description: 'Only events of this call' }),
  ),
  status: Type.Optional(
    Type.Enum(callStatuses, {
      type: 'string',
      description: 'Only events of calls in this state, and those that leave it',
    }),
  ),
  type: Type.Optional(
    Type.Enum(eventTypes, { type: 'string', description: 'Only events of this type' }),
  ),
}

/** The type of the message of an event. */
export function typeOf({ kind, status }: Pick<FeedEvent, 'kind' | 'status'>): EventType {
  // A transition to nothing: the call was erased.
  if (kind === 'transition') return status === null ? 'call_event' : 'call_update'
  return kind === 'result' ? 'ai_result' : kind === 'attempt' ? 'analysis_attempt' : 'call_event'
}

/** The filter of a query; undefined when it lets everything through. */
export function filterOf({ call, status, type }: FeedFilter): FeedFilter | undefined {
  const isOpen = call === undefined && status === undefined && type === undefined
  return isOpen ? undefined : { call, status, type }
}

/** Whether a client with this filter hears of the event. */
export function passes(
  { call, status, type }: FeedFilter,
  event: Pick<FeedEvent, 'call_id' | 'kind' | 'status' | 'old_status'>,
): boolean {
  if (call !== undefined && event.call_id !== call) return false
  if (type !== undefined && typeOf(event) !== type) return false
  return status === undefined || event.status === status || event.old_status === status
}
