import type { Pool } from '../../src/database/pool.ts'
import { until } from './until.ts'

/** Waits until exactly one session of the database waits for a lock. */
export async function untilBlocked(pool: Pool): Promise<void> {
  await until('a session waits for a lock', async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rowCount === 1
  })
}
