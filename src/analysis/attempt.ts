// One attempt to analyse one claimed call: do the work, store what comes of it. Nothing here can keep a call
// from its next step: every way out either stores a result, or says when to try again, or leaves the lease
// to run out.
import { DatabaseFailure } from '../database/failure.ts'
import type { Pool } from '../database/pool.ts'
import type { Random } from '../random.ts'
import type { Logger } from '../telemetry/logger.ts'
import { workLost } from './keep-step.ts'
import { type AnalysisResult, ProviderError } from './provider.ts'
import { NotNow } from './refusals.ts'
import { nextStep, type RetrySettings } from './retry-policy.ts'
import { type Claim, endAttempt, storeResult } from './statements.ts'
import { within } from './within.ts'

/** How an attempt ended. `refused`: its lease was lost, so what it had to say was not stored. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'released' | 'refused'

/** What an attempt needs. */
export type AttemptOptions = {
  readonly pool: Pool
  /** Rejects with a `ProviderError`, a `NotNow`, or the signal's reason. */
  readonly work: (claim: Claim, signal: AbortSignal) => Promise<AnalysisResult>
  readonly retry: RetrySettings
  readonly deadlineSeconds: number
  readonly archiveAfterSeconds: number
  readonly random: Random
  readonly logger: Logger
}

/** The reason of an attempt's signal when the gateway shuts down: the call is given back. */
export const shuttingDown = new Error('the gateway is shutting down')

/** The reason of an attempt's signal when its lease was lost: another process has the call. */
export const leaseLost = new Error('the lease was lost')

/** Runs one attempt; rejects only when the database fails. */
export async function runAttempt(
  claim: Claim,
  options: AttemptOptions,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const logger = options.logger.child({ call_id: claim.call_id, attempt: claim.attempt })
  let failure: ProviderError
  try {
    const result = await within(
      options.deadlineSeconds,
      signal,
      (end) => options.work(claim, end),
      'Not done',
    )
    const [answer] = await storeResult(
      options.pool,
      claim.id,
      claim.lease_token,
      withoutNul(result.transcription),
      result.sentiment,
      withoutNul(result.summary),
      options.archiveAfterSeconds,
    )
    if (answer?.stored !== true) return tooLate(logger)
    logger.info('call analysed')
    return 'succeeded'
  } catch (error) {
    if (error instanceof DatabaseFailure && error.kind !== 'data') throw error
    if (error === workLost) return tooLate(logger)
    if (signal.aborted) return await giveBack(claim, options, signal, logger)
    if (error instanceof NotNow) return await putOff(claim, options, error, logger)
    failure = asProviderError(error, logger)
  }

  const next = nextStep(
    {
      kind: failure.kind,
      burstAttempts: claim.burst_attempts,
      redrives: claim.redrives,
      secondsSinceCompletion: claim.seconds_since_completion,
    },
    options.retry,
    options.random,
  )
  const [answer] = await endAttempt(
    options.pool,
    claim.id,
    claim.lease_token,
    failure.kind === 'configuration' ? 'outage' : failure.kind,
    withoutNul(failure.message),
    next.usesUpAttempt,
    next.fails,
    next.wait,
  )
  if (answer?.ended !== true) return 'refused'
  logger.warn({ reason: failure.message, ...next }, next.fails ? 'call failed' : 'attempt failed')
  return 'failed'
}

function tooLate(logger: Logger): AttemptOutcome {
  logger.warn('a result came too late: the call belongs to another process; it was refused')
  return 'refused'
}

/** No provider may be asked: the call waits, and nobody has failed. */
async function putOff(
  claim: Claim,
  { pool, random }: AttemptOptions,
  { message, waitSeconds }: NotNow,
  logger: Logger,
): Promise<AttemptOutcome> {
  // Those that wait for the same provider do not all come back at once.
  const wait = waitSeconds * (1 + random() / 4)
  logger.debug({ reason: message, wait }, 'an analysis is put off')
  await endAttempt(pool, claim.id, claim.lease_token, 'outage', message, false, false, wait)
  return 'released'
}

async function giveBack(
  claim: Claim,
  options: AttemptOptions,
  signal: AbortSignal,
  logger: Logger,
): Promise<AttemptOutcome> {
  if (signal.reason !== shuttingDown) {
    logger.warn('an attempt was stopped: the call belongs to another process')
    return 'refused'
  }
  await endAttempt(options.pool, claim.id, claim.lease_token, 'released', null, false, false, 0)
  return 'released'
}

function asProviderError(error: unknown, logger: Logger): ProviderError {
  if (error instanceof ProviderError) return error
  logger.error({ err: error }, 'the provider failed in a way it should not')
  return new ProviderError('retryable', 'The provider failed unexpectedly', { cause: error })
}

/** PostgreSQL's text cannot hold U+0000, and an AI may say anything. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}
