// Calls with results of a size that the test chooses, made by the product's own statements: five events each.
import { claimCalls, storeResult } from '../../src/analysis/statements.ts'
import { completeCall } from '../../src/calls/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { commitParameters } from '../../src/ledger/batch.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import { groupOf, packetOf } from './calls.ts'

/** Events of each call: created, completed, in analysis, result, archived. */
export const eventsPerCall = 5

const leaseSeconds = 60

/** Stores calls of one packet each; each is one event. */
export async function storeCalls(pool: Pick<Pool, 'query'>, callIds: string[]): Promise<void> {
  const groups = callIds.map((callId) => groupOf([packetOf(callId, 1)]))
  await commitPackets(pool, ...commitParameters(groups), 300)
}

/** Takes new calls to ARCHIVED in one transaction, each with that transcription. */
export async function storeResults(
  pool: Pool,
  callIds: string[],
  transcription: string,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await storeCalls(client, callIds)
    for (const callId of callIds) await completeCall(client, callId, 'endpoint', 0)
    // No gateway can claim them meanwhile: they are not committed.
    const claims = await claimCalls(client, 'test', 'mock', callIds.length, leaseSeconds)
    for (const { id, lease_token } of claims)
      await storeResult(client, id, lease_token, transcription, 'neutral', 'Long.', 0)
    // Gateways hear of it at once.
    await client.query('NOTIFY gateway_feed')
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

/** `prefix-0`, `prefix-1`, … */
export function callIds(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`)
}
