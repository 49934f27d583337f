// The event log as it is read: publishing gives events their positions, reading goes by position.
import { rolesExchanged, sentimentAsSeen } from '../calls/roles.ts'
import { statement } from '../database/statement.ts'

/** An event with its position in the feed. */
export type FeedEvent = {
  /** Grows by one with every event, for all gateways the same. */
  readonly position: number
  readonly call_id: string
  readonly kind: 'transition' | 'result' | 'attempt' | 'media'
  readonly version: number
  readonly old_status: string | null
  /** Null: the call was erased. */
  readonly status: string | null
  readonly data: Readonly<Record<string, unknown>>
  readonly created_at: Date
  readonly transcription: string | null
  readonly sentiment: string | null
  readonly summary: string | null
  /** Of a result: whether a supervisor has exchanged the roles of the call's tracks. */
  readonly exchanged: boolean | null
}

/** Gives positions to events that have none, oldest first; how many. Where there are none it waits for nobody. */
export const publishEvents = statement<[limit: number], { readonly published: number }>(
  'publish_events',
  `SELECT CASE WHEN EXISTS (SELECT FROM events WHERE position IS NULL)
     THEN publish_events($1) ELSE 0 END AS published`,
)

/** The events after a position, in order. A result's text is read from its call, never copied. */
export const readEvents = statement<[after: number, limit: number], FeedEvent>(
  'read_events',
  `SELECT position, events.call_id, kind, events.version, old_status, events.status, data,
     events.created_at, result.transcription, ${sentimentAsSeen('result')} AS sentiment,
     result.summary, ${rolesExchanged('result')} AS exchanged
   FROM events LEFT JOIN calls AS result ON result.id = events.call AND kind = 'result'
   WHERE position > $1 ORDER BY position LIMIT $2`,
)

/** The position of the newest published event; 0 before the first. */
export const readHead = statement<[], { readonly position: number }>(
  'read_head',
  'SELECT position FROM feed_head',
)

/** The position of the newest published event, and that of the oldest that is left; null without any. */
export const readExtent = statement<[], { readonly head: number; readonly oldest: number | null }>(
  'read_extent',
  'SELECT position AS head, (SELECT min(position) FROM events) AS oldest FROM feed_head',
)
