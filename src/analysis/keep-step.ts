// Stores a step that is done, for the attempt that holds the lease.
import type { Pool } from '../database/pool.ts'
import type { Given } from './health.ts'
import type { Claim } from './statements.ts'
import { type Step, type StoredStep, storeStep } from './steps.ts'

/** The lease was lost while the work was done. */
export const workLost = new Error('the lease was lost')

/** Who did a step and what it took. */
export type Origin = Omit<Given<unknown>, 'value'>

/** What this process finds out by itself. */
export const builtIn: Origin = { provider: 'built-in', model: null, use: {}, latencyMs: 0 }

/** Stores a step and adds it to those that are done. @throws workLost */
export async function keepStep(
  pool: Pool,
  claim: Claim,
  done: StoredStep[],
  { provider, model, use, latencyMs }: Origin,
  step: Step,
): Promise<void> {
  const [answer] = await storeStep(
    pool,
    claim.id,
    claim.lease_token,
    step.step,
    step.track,
    provider,
    model,
    toJsonb(step.result),
    JSON.stringify(use),
    latencyMs,
  )
  if (answer?.stored !== true) throw workLost
  done.push({ ...step, provider })
}

/** JSON that PostgreSQL takes: its text holds neither U+0000 nor half characters, and an AI may say anything. */
function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'string' ? part.replaceAll('\0', '\uFFFD').toWellFormed() : part,
  )
}
