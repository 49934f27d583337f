// What became of calls that waited for an AI service to come back: by the times in the database.
import { query } from './cluster.ts'

/** A call that waited. */
export type WaitingCall = {
  /** Milliseconds from its completion on. */
  readonly completedAt: number
  readonly archivedAt: number
  /** It was tried while the service was away. */
  readonly tried: boolean
}

/** How many calls are completed and have no result. */
export async function countWaiting(url: string): Promise<number> {
  const [row] = await query<{ waiting: string }>(
    url,
    `SELECT count(*) AS waiting FROM calls
     WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')`,
  )
  return Number(row?.waiting)
}

/** How many calls that were completed before `end`, and whose id begins with the prefix, are not archived. */
export async function countUnarchived(url: string, end: Date, prefix: string): Promise<number> {
  const [row] = await query<{ calls: string }>(
    url,
    `SELECT count(*) AS calls FROM calls
     WHERE status <> 'ARCHIVED' AND completed_at <= $1 AND starts_with(call_id, $2)`,
    [end, prefix],
  )
  return Number(row?.calls)
}

/**
 * The calls that waited at `end`, once all are archived, in the order of their completion.
 * @param prefix of their ids
 */
export async function readBacklog(
  url: string,
  end: Date,
  prefix = '',
): Promise<readonly WaitingCall[]> {
  return await query<WaitingCall>(
    url,
    `SELECT extract(epoch FROM completed_at)::float8 * 1000 AS "completedAt",
       extract(epoch FROM ai_processed_at)::float8 * 1000 AS "archivedAt",
       EXISTS (SELECT FROM attempts WHERE call = calls.id AND started_at < $1) AS tried
     FROM calls WHERE completed_at <= $1 AND ai_processed_at > $1 AND starts_with(call_id, $2)
     ORDER BY completed_at, id`,
    [end, prefix],
  )
}

/** What an outage cost in attempts. */
export type OutageAttempts = {
  /** Attempts that began in the outage and used one up. */
  readonly usedUp: number
  /** Those that began in it and used none up. */
  readonly inVain: number
  /** Attempts that were under way when it began, were cut off, and count. */
  readonly cutOff: number
  /** Calls that were FAILED at any time. */
  readonly failedCalls: number
}

/** Counts them; the outage lasted from `start` to `end`. */
export async function countAttempts(url: string, start: Date, end: Date): Promise<OutageAttempts> {
  const [row] = await query<Record<keyof OutageAttempts, string>>(
    url,
    `SELECT
       count(*) FILTER (WHERE started_at >= $1 AND outcome IN ('retryable', 'permanent')) AS "usedUp",
       count(*) FILTER (WHERE started_at >= $1 AND outcome = 'outage') AS "inVain",
       count(*) FILTER (WHERE started_at < $1 AND ended_at >= $1
         AND outcome IN ('retryable', 'permanent')) AS "cutOff",
       (SELECT count(*) FROM calls WHERE redrives > 0 OR status = 'FAILED') AS "failedCalls"
     FROM attempts WHERE started_at < $2`,
    [start, end],
  )
  return {
    usedUp: Number(row?.usedUp),
    inVain: Number(row?.inVain),
    cutOff: Number(row?.cutOff),
    failedCalls: Number(row?.failedCalls),
  }
}

/** How far the order of archiving is from that of completion. */
export type Order = {
  /** Pairs of calls of which the older one was archived first, as a share of all pairs. */
  readonly pairsInOrder: number
  /** So many younger calls were archived before the one that was overtaken most. */
  readonly mostOvertaken: number
  /** The same among calls that were tried in the outage; not a number when there was none. */
  readonly mostOvertakenTried: number
}

/** Compares the orders. Pure. @param calls in the order of their completion */
export function orderOf(calls: readonly WaitingCall[]): Order {
  const overtaken = calls.map(
    ({ archivedAt }, place) =>
      calls.slice(place + 1).filter((younger) => younger.archivedAt < archivedAt).length,
  )
  const pairs = (calls.length * (calls.length - 1)) / 2
  const tried = overtaken.filter((_, place) => calls[place]?.tried)
  return {
    pairsInOrder: 1 - overtaken.reduce((sum, each) => sum + each, 0) / pairs,
    mostOvertaken: Math.max(...overtaken),
    mostOvertakenTried: tried.length === 0 ? Number.NaN : Math.max(...tried),
  }
}

/** Seconds from `end` until the first and the last of the calls were archived. */
export function drainOf(
  calls: readonly WaitingCall[],
  end: Date,
): { readonly first: number; readonly last: number } {
  const after = calls.map(({ archivedAt }) => (archivedAt - end.getTime()) / 1_000)
  return { first: Math.min(...after), last: Math.max(...after) }
}
