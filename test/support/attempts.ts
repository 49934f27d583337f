// Attempts of a claimed call with a provider of the test's own.
import assert from 'node:assert/strict'
import { type AttemptOptions, type AttemptOutcome, runAttempt } from '../../src/analysis/attempt.ts'
import type { AnalysisResult, Provider } from '../../src/analysis/provider.ts'
import { type Claim, claimCalls } from '../../src/analysis/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { readPackets } from '../../src/ledger/read-packets.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { makeDue } from './calls.ts'
import { leaseSeconds } from './claims.ts'

const logger = createLogger({ level: 'silent', pretty: false })
const never = new AbortController().signal

/** What a provider says when all is well. */
export const result: AnalysisResult = {
  transcription: 'Hello.',
  sentiment: 'positive',
  summary: 'Short.',
}

/** Runs one attempt; without a change it may take a minute, and nobody stops it. */
export function attempt(
  pool: Pool,
  claim: Claim,
  analyse: Provider['analyse'],
  change: Partial<AttemptOptions> = {},
  signal: AbortSignal = never,
): Promise<AttemptOutcome> {
  const options: AttemptOptions = {
    pool,
    work: ({ id, call_id: callId, attempt }, end) =>
      analyse({ callId, attempt, packets: readPackets(pool, id) }, end),
    retry: {
      maxAttempts: 5,
      initialWait: 1,
      maxWait: 60,
      redriveInitialWait: 300,
      redriveMaxWait: 21_600,
      redriveHorizon: 259_200,
    },
    deadlineSeconds: 60,
    archiveAfterSeconds: 0,
    random: () => 0.5,
    logger,
    ...change,
  }
  return runAttempt(claim, options, signal)
}

/** Claims the call again, once its wait is over; the attempts it has used up. */
export async function nextBurstAttempts(pool: Pool, { id }: Claim): Promise<number | undefined> {
  assert.deepEqual(await claimCalls(pool, 'other', 'mock', 1, leaseSeconds), [])
  await makeDue(pool, id)
  const [next] = await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
  assert.equal(next?.id, id)
  return next?.burst_attempts
}
