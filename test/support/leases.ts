// Who holds the calls in analysis.
import assert from 'node:assert/strict'
import type { TestDatabase } from './database.ts'

/** Leases that outlast every test, however slow the machine: only what is given back is taken again. */
export const endlessLeases = { ANALYSIS_LEASE_SECONDS: '600' } as const

/** Asserts that a process that ended, with whatever number of workers, gave back every call that it had claimed. */
export async function assertGaveBack({ pool }: TestDatabase, pids: readonly number[]) {
  const { rows } = await pool.query<{ call_id: string; lease_owner: string }>(
    `SELECT call_id, lease_owner FROM calls
     WHERE split_part(lease_owner, '/', -2) = ANY($1::text[])`,
    [pids.map(String)],
  )
  assert.deepEqual(rows, [], 'every claimed call was given back')
}
