// What follows a failed attempt. Pure. A burst of attempts with exponential backoff; then the call is FAILED,
// for supervisors to see, and is driven anew by itself with growing pauses until the horizon.
import type { Random } from '../random.ts'
import type { ProviderErrorKind } from './provider.ts'

/** The settings of the policy; times in seconds. */
export type RetrySettings = {
  /** Failed attempts in a row after which a call is FAILED. */
  readonly maxAttempts: number
  readonly initialWait: number
  readonly maxWait: number
  readonly redriveInitialWait: number
  readonly redriveMaxWait: number
  /** Counted from the completion of the call. */
  readonly redriveHorizon: number
}

/** Where a call stands when an attempt has failed. */
export type FailedAttempt = {
  readonly kind: ProviderErrorKind
  /** Attempts of this burst that failed before and count. */
  readonly burstAttempts: number
  /** How often the call was driven anew. */
  readonly redrives: number
  readonly secondsSinceCompletion: number
}

/** What happens next; `wait` is seconds until the next attempt, null for never. */
export type NextStep = {
  readonly usesUpAttempt: boolean
  readonly fails: boolean
  readonly wait: number | null
}

/**
 * The wait before attempt `step + 1`: the exponential `initial * 2^(step - 1)`, at most `max`, of which a
 * random half to whole is taken, so that calls which failed together do not come back together.
 * @param step 1 for the first wait
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("equal jitter")
 */
export function backoff(step: number, initial: number, max: number, random: Random): number {
  // Without a limit the power becomes Infinity, and 0 times that is not a number.
  const whole = Math.min(max, initial * 2 ** Math.min(step - 1, 1_000))
  return whole / 2 + (whole / 2) * random()
}

/** Decides what follows a failed attempt. There is no wait after the last attempt of a burst. */
export function nextStep(
  attempt: FailedAttempt,
  settings: RetrySettings,
  random: Random,
): NextStep {
  const usesUpAttempt = attempt.kind === 'retryable' || attempt.kind === 'permanent'
  const failures = attempt.burstAttempts + (usesUpAttempt ? 1 : 0)
  if (attempt.kind !== 'permanent' && failures < settings.maxAttempts)
    return {
      usesUpAttempt,
      fails: false,
      wait: backoff(Math.max(1, failures), settings.initialWait, settings.maxWait, random),
    }
  const wait = backoff(
    attempt.redrives + 1,
    settings.redriveInitialWait,
    settings.redriveMaxWait,
    random,
  )
  const inTime = attempt.secondsSinceCompletion + wait <= settings.redriveHorizon
  return {
    usesUpAttempt,
    fails: true,
    wait: attempt.kind !== 'permanent' && inTime ? wait : null,
  }
}
