// The floor of the desk: live and recent calls and what waits, as of one position of the feed, so that the events
// after that position and nothing else are missing from it.
import Type, { type Static } from 'typebox'
import type { Pool } from '../database/pool.ts'
import { inSnapshot } from '../database/snapshot.ts'
import type { Queryable } from '../database/statement.ts'
import {
  countOverdue,
  findByCallId,
  findNewest,
  findNewestOfStatus,
  noCalls,
  readBacklog,
  readFloorHead,
  readFloorRows,
  readFloorRowsOf,
  searchFloor,
} from './floor-statements.ts'
import { FloorCall, viewFloorCall } from './floor-view.ts'
import { settleJournals } from './statements.ts'
import type { CallStatus } from './transitions.ts'

/** Which calls are shown; all that is given must be so. */
export type FloorQuery = {
  /** At most so many. */
  readonly limit: number
  /** This call alone. */
  readonly call?: string | undefined
  /** A text in the call id or a party. */
  readonly search?: string | undefined
  readonly status?: CallStatus | undefined
  readonly source?: string | undefined
}

const count = Type.Integer()

/** The floor. */
export const Floor = Type.Object(
  {
    position: Type.Integer({ description: 'Of the feed: every event after it is news' }),
    now: Type.String({ format: 'date-time' }),
    gateway: Type.String({ description: 'The process that answers, as in /v1/system' }),
    calls: Type.Array(FloorCall, { description: 'Live ones first, then newest first' }),
    counts: Type.Object(
      {
        IN_PROGRESS: count,
        COMPLETED: count,
        PROCESSING_AI: count,
        FAILED: count,
        ARCHIVED: count,
      },
      { description: 'All calls by status, as of the position' },
    ),
    backlog: Type.Object({
      waiting: Type.Integer({ description: 'Calls that wait for an attempt' }),
      running: Type.Integer({ description: 'Calls that are being analysed' }),
      failing: Type.Integer({ description: 'Calls that failed and are tried anew' }),
      oldest_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    }),
    overdue: Type.Integer({
      description: 'Calls whose next step is overdue by more than 30 s, and nobody is at it',
    }),
  },
  { title: 'Floor' },
)

/** How many calls the floor shows unless asked otherwise, and at most. */
export const floorLimits = { usual: 1_000, most: 5_000 } as const

/** Reads the floor. Rejects with a `DatabaseFailure`. */
export async function readFloor(
  pool: Pool,
  query: FloorQuery,
  gateway: string,
): Promise<Static<typeof Floor>> {
  await settleJournals(pool, 0)
  return await inSnapshot(pool, async (db) => {
    const [head] = await readFloorHead(db)
    const found = await findCalls(db, query)
    const rows = await readFloorRows(
      db,
      found.map(({ id }) => id),
    )
    const [backlog] = await readBacklog(db)
    const [late] = await countOverdue(db)
    return {
      position: head?.position ?? 0,
      now: new Date().toISOString(),
      gateway,
      calls: rows.map(viewFloorCall),
      counts: head?.counts ?? noCalls,
      backlog: {
        waiting: backlog?.waiting ?? 0,
        running: backlog?.running ?? 0,
        failing: backlog?.failing ?? 0,
        oldest_at: backlog?.oldest_at?.toISOString() ?? null,
      },
      overdue: late?.overdue ?? 0,
    }
  })
}

/** The lines of these calls as they are now, by call id; none for a call that is gone. */
export async function readFloorCalls(
  db: Queryable,
  callIds: readonly string[],
): Promise<ReadonlyMap<string, Static<typeof FloorCall>>> {
  const rows = await readFloorRowsOf(db, callIds)
  return new Map(rows.map((row) => [row.call_id, viewFloorCall(row)]))
}

async function findCalls(
  db: Queryable,
  { limit, call, search, status, source }: FloorQuery,
): Promise<{ readonly id: number }[]> {
  if (call !== undefined) return await findByCallId(db, call)
  if (search !== undefined || source !== undefined)
    return await searchFloor(db, search ?? null, status ?? null, source ?? null, limit)
  if (status !== undefined) return await findNewestOfStatus(db, status, limit)
  return await findNewest(db, limit)
}
