// Calls that were erased, with their events: positions that nobody can be told any more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFeed } from '../../src/feed/feed.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { textsIn } from '../support/feed-client.ts'
import { callIds, storeCalls } from '../support/results.ts'
import { until } from '../support/until.ts'

/** Calls `call-0` to `call-9`, at positions 1 to 10, of which these are erased. */
async function storeAndErase({ pool }: TestDatabase, erased: number[]): Promise<void> {
  await storeCalls(pool, callIds('call', 10))
  await pool.query('SELECT publish_events(100)')
  await pool.query('DELETE FROM calls WHERE call_id = ANY ($1)', [
    erased.map((number) => `call-${number}`),
  ])
}

/** How often the log is read from a position on. */
function countReads({ pool }: TestDatabase): Map<number, number> {
  const reads = new Map<number, number>()
  const query: (...args: unknown[]) => unknown = pool.query.bind(pool)
  Object.assign(pool, {
    query: (...args: [{ name?: string; values?: number[] } | string, ...unknown[]]) => {
      const [statement] = args
      if (typeof statement === 'object' && statement.name === 'read_events') {
        const after = Number(statement.values?.[0])
        reads.set(after, (reads.get(after) ?? 0) + 1)
      }
      return query(...args)
    },
  })
  return reads
}

const cases: readonly (readonly [what: string, erased: number[]])[] = [
  ['the first', [0, 1]],
  ['some between', [3, 4, 7]],
  ['the newest', [8, 9]],
  ['all', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
]

for (const [what, erased] of cases)
  test(`when ${what} are erased, who comes back gets what is left and what is new, and no more is asked`, async () => {
    await using database = await createDatabase()
    await storeAndErase(database, erased)
    const reads = countReads(database)
    const feed = await startFeed({
      pool: database.pool,
      databaseUrl: database.url,
      logger: createLogger({ level: 'error', pretty: false }),
    })
    try {
      for (const [place, after] of [0, 5, 9, 10].entries()) {
        // Not by the feed's own position: who comes back may be told from the log before the feed has read so far.
        const newest = 11 + place
        const heard: number[] = []
        const leave = feed.subscribe(after, {
          deliver: (frames) => {
            for (const text of textsIn(frames))
              heard.push((JSON.parse(text) as { position: number }).position)
            return true
          },
          drained: () => Promise.resolve(),
          fail: () => assert.fail('it is not brought up to date'),
        })
        await storeCalls(database.pool, [`new-${after}`])
        feed.wake()
        await until('what is new', () => heard.includes(newest))
        leave()
        const left = Array.from({ length: newest }, (_, index) => index + 1).filter(
          (position) => position > after && !erased.includes(position - 1),
        )
        assert.deepEqual(heard, left)
      }
      // The pulse of the feed reads from the newest on, from time to time.
      for (const [after, times] of reads)
        if (after < 10) assert.ok(times <= 2, `read ${times} times from ${after} on`)
    } finally {
      await feed.stop()
    }
  })
