// Calls that wait for their analysis, or have been claimed for it.
import assert from 'node:assert/strict'
import { type Claim, claimCalls } from '../../src/analysis/statements.ts'
import { completeCall } from '../../src/calls/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { storeCall } from './calls.ts'

/** Seconds: longer than any test. */
export const leaseSeconds = 60

let created = 0

/** Completed calls `call-0`, `call-1`, … whose analysis is due; their ids. */
export async function completedCalls(pool: Pool, count: number): Promise<number[]> {
  const ids: number[] = []
  for (let index = 0; index < count; index += 1) {
    ids.push(await storeCall(pool, `call-${index}`))
    await completeCall(pool, `call-${index}`, 'endpoint', 0)
  }
  return ids
}

/** Claims a new call; no other may be due. */
export async function claimOne(pool: Pool, owner = 'one'): Promise<Claim> {
  created += 1
  await storeCall(pool, `claimed-${created}`)
  await completeCall(pool, `claimed-${created}`, 'endpoint', 0)
  const [claim] = await claimCalls(pool, owner, 'mock', 1, leaseSeconds)
  assert.equal(claim?.call_id, `claimed-${created}`)
  return claim
}

/** All attempts there are. */
export async function attemptsOf(pool: Pool) {
  const { rows } = await pool.query(
    `SELECT number, lease_owner, outcome, ended_at IS NOT NULL AS ended FROM attempts
     ORDER BY call, number`,
  )
  return rows
}
