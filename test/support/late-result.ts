// A gateway that sleeps past its lease and wakes up with a result in its hands: the case that
// fencing is for.
import type { TestDatabase } from './database.ts'
import type { Fleet } from './fleet.ts'
import type { Sender } from './sender.ts'
import { until } from './until.ts'

/** The sleeper's AI has answered when it wakes; its successor still waits for its own. */
export const sleeper = {
  ANALYSIS_LEASE_SECONDS: '3',
  AI_SERVICE_MIN_LATENCY: '3.5',
  AI_SERVICE_MAX_LATENCY: '3.5',
}
export const successor = {
  ANALYSIS_LEASE_SECONDS: '3',
  AI_SERVICE_MIN_LATENCY: '3',
  AI_SERVICE_MAX_LATENCY: '3',
}

/**
 * Plays one call to the only gateway (with the settings {@link sleeper}), stops it (SIGSTOP) while
 * it waits for the AI, lets a second one take over, and wakes it. Resolves when the call is
 * archived.
 */
export async function playLateResult(
  database: TestDatabase,
  gateways: Fleet,
  pbx: Sender,
  callId: string,
): Promise<void> {
  await pbx.deliver({ callId, sequence: 1, data: 'good morning' })
  await pbx.hangUp(callId)
  // It claims the call and renews the lease twice, a second apart: by then it has read the packets
  // and waits.
  const leases = new Set<number>()
  await until('the first gateway has renewed its lease twice', async () => {
    const { rows } = await database.pool.query<{ ends: Date }>(
      'SELECT due_at AS ends FROM calls WHERE lease_owner IS NOT NULL',
    )
    for (const { ends } of rows) leases.add(ends.getTime())
    return leases.size === 3
  })
  gateways.at(0).kill('SIGSTOP')
  await gateways.replace(1, successor)
  await until('the second gateway has claimed the call', () => hasAttempt(database, 2))
  gateways.at(0).kill('SIGCONT')
  await until('the call is archived', async () => {
    const { rows } = await database.pool.query("SELECT FROM calls WHERE status = 'ARCHIVED'")
    return rows.length === 1
  })
}

async function hasAttempt({ pool }: TestDatabase, number: number): Promise<boolean> {
  const { rows } = await pool.query('SELECT FROM attempts WHERE number = $1', [number])
  return rows.length > 0
}
