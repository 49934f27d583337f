import type { TestDatabase } from './database.ts'
import { until } from './until.ts'

/** Waits until there are so many calls, or more, and all of them are ARCHIVED. */
export async function untilArchived(
  { pool }: Pick<TestDatabase, 'pool'>,
  calls: number,
  withinMs?: number,
): Promise<void> {
  const all = async () => {
    const { rows } = await pool.query<{ archived: number; others: number }>(
      `SELECT count(*) FILTER (WHERE status = 'ARCHIVED') AS archived,
         count(*) FILTER (WHERE status <> 'ARCHIVED') AS others FROM calls`,
    )
    return rows[0] !== undefined && rows[0].others === 0 && rows[0].archived >= calls
  }
  await until(`${calls} calls are archived`, all, withinMs)
}
