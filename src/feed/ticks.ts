// What a stream says every second: that it lives, and how busy the gateway is.
import { noCalls, readFloorHead } from '../calls/floor-statements.ts'
import type { CallStatus } from '../calls/transitions.ts'
import type { Queryable } from '../database/statement.ts'
import type { FeedEvent } from './event-log.ts'

/** The figures of a second. */
export type Tick = {
  readonly now: string
  /** Of all gateways. */
  readonly packets_per_second: number
  /** The median of the last commits, in milliseconds. */
  readonly commit_ms: number
  /** Calls in progress. */
  readonly live: number
  /** All calls by status, as of the position. */
  readonly position: number
  readonly counts: Readonly<Record<CallStatus, number>>
  /** From what happened to its being streamed, in milliseconds: the longest of the last second. */
  readonly lag_ms: number
}

/** What makes ticks. */
export type Ticks = {
  /** Events were read to be streamed. */
  readonly delivered: (events: readonly FeedEvent[]) => void
  /** Whether the next tick is one of every so many. */
  readonly isHeartbeat: (every: number) => boolean
  readonly next: () => Promise<Tick>
}

/**
 * Builds what makes ticks.
 * @param load packets a second and the median of the commits since it was asked last
 */
export function createTicks(
  db: Queryable,
  load: () => { readonly packets_per_second: number; readonly commit_ms: number },
): Ticks {
  let lag = 0
  let ticks = 0
  return {
    delivered: (events) => {
      const oldest = events[0]?.created_at.getTime() ?? 0
      lag = Math.max(lag, Date.now() - oldest)
    },
    isHeartbeat: (every) => ticks % every === 0,
    next: async () => {
      ticks += 1
      const lag_ms = lag
      lag = 0
      const [head] = await readFloorHead(db)
      const counts = head?.counts ?? noCalls
      const live = counts.IN_PROGRESS
      const position = head?.position ?? 0
      return { now: new Date().toISOString(), ...load(), live, position, counts, lag_ms }
    },
  }
}
