// A gateway that sleeps past its lease and wakes up with a result in its hands: the case that fencing is for.
import type { TestDatabase } from './database.ts'
import type { Fleet } from './fleet.ts'
import type { Sender } from './sender.ts'
import { until } from './until.ts'

/** The sleeper would be done within its lease; who takes the call over is still at work when it wakes. */
export const sleeper = {
  ANALYSIS_LEASE_SECONDS: '3',
  AI_SERVICE_MIN_LATENCY: '2',
  AI_SERVICE_MAX_LATENCY: '2',
}
export const successor = {
  ANALYSIS_LEASE_SECONDS: '3',
  AI_SERVICE_MIN_LATENCY: '3',
  AI_SERVICE_MAX_LATENCY: '3',
}

/**
 * Plays one call to the only gateway (with the settings {@link sleeper}), stops it (SIGSTOP) as soon as it has
 * claimed the call, lets a second one take over, and wakes it. Resolves when the call is archived.
 */
export async function playLateResult(
  database: TestDatabase,
  gateways: Fleet,
  pbx: Sender,
  callId: string,
): Promise<void> {
  await pbx.deliver({ callId, sequence: 1, data: 'good morning' })
  await pbx.hangUp(callId)
  await until('the first gateway has claimed the call', () => hasAttempt(database, 1))
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
