// Asks AI services, and only those that are well. Before a request the database is asked for leave, afterwards it is
// told what became of it; so all gateways know of an outage when one of them does, and none knocks over what heals.
import type { Pool } from '../database/pool.ts'
import { startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import {
  admitRequest,
  declareProviders,
  providerCapacity,
  type RequestOutcome,
  renewRequests,
  reportRequest,
} from './health-statements.ts'
import { ProviderError } from './provider.ts'
import type { Use } from './service.ts'

/** What the health needs. */
export type HealthOptions = {
  readonly pool: Pool
  /** Who this process is. */
  readonly owner: string
  /** A request of a process that gives no sign of life counts as over after so long. */
  readonly expiresSeconds: number
  readonly logger: Logger
}

/** A provider that may be asked. */
export type Candidate<T> = {
  readonly name: string
  readonly ask: () => Promise<{ readonly value: T; readonly use: Use }>
}

/** An answer and who gave it. */
export type Given<T> = {
  readonly provider: string
  readonly value: T
  readonly use: Use
  readonly latencyMs: number
}

/** No provider may be asked now. It is nobody's failure and uses up no attempt. */
export class NotNow extends Error {
  readonly waitSeconds: number

  constructor(waitSeconds: number, reason: string) {
    super(reason)
    this.name = 'NotNow'
    this.waitSeconds = waitSeconds
  }
}

/** The health of all providers. */
export type Health = {
  /** Makes the providers known, with how many requests each may get at once. */
  readonly declare: (providers: readonly { name: string; ceiling: number }[]) => Promise<void>
  /** How many requests the providers may be sent now; if none, in how many seconds to look again. */
  readonly capacity: (names: readonly string[]) => Promise<{ free: number; waitSeconds: number }>
  /**
   * Asks the first candidate that may be asked; the next one when a service is away or cannot deal with this call.
   * Rejects with {@link NotNow}, a `ProviderError`, or the signal's reason.
   */
  readonly ask: <T>(
    call: number,
    step: string,
    candidates: readonly Candidate<T>[],
    signal: AbortSignal,
  ) => Promise<Given<T>>
  readonly stop: () => Promise<void>
}

const busyPauseSeconds = 0.25

/** Builds it. */
export function createHealth({ pool, owner, expiresSeconds, logger }: HealthOptions): Health {
  let inFlight = 0
  const renewing = startPulse({
    everyMs: (expiresSeconds * 1_000) / 3,
    onError: (error) => logger.error({ err: error }, 'requests could not be renewed; trying again'),
    run: async () => {
      if (inFlight > 0) await renewRequests(pool, owner, expiresSeconds)
      return undefined
    },
  })

  async function askOne<T>(
    request: number,
    { name, ask }: Candidate<T>,
    signal: AbortSignal,
  ): Promise<Given<T>> {
    const began = performance.now()
    async function tell(
      outcome: RequestOutcome,
      error: string | null,
      wait: number | null,
      use: Use,
    ) {
      const latencyMs = performance.now() - began
      const { audioSeconds = 0, inputTokens = 0, outputTokens = 0 } = use
      const [states] = await reportRequest(
        pool,
        request,
        name,
        outcome,
        error,
        latencyMs,
        wait,
        audioSeconds,
        inputTokens,
        outputTokens,
      )
      if (states !== undefined && states.state_before !== states.state_now)
        logger.warn(
          { provider: name, was: states.state_before, is: states.state_now, reason: error },
          'the state of a provider changed',
        )
      return latencyMs
    }
    try {
      const { value, use } = await ask()
      return { provider: name, value, use, latencyMs: await tell('succeeded', null, null, use) }
    } catch (error) {
      if (signal.aborted) await tell('released', null, null, {})
      else if (error instanceof ProviderError)
        await tell(error.kind, error.message, error.retryAfterSeconds ?? null, {})
      else await tell('retryable', 'The provider failed unexpectedly', null, {})
      throw error
    }
  }

  return {
    declare: async (providers) => {
      const names = providers.map(({ name }) => name)
      await declareProviders(
        pool,
        names,
        providers.map(({ ceiling }) => ceiling),
      )
    },
    capacity: async (names) => {
      const rows = await providerCapacity(pool, [...names])
      const waits = rows.flatMap(({ wait }) => (wait === null ? [] : [wait]))
      return {
        free: rows.reduce((sum, { free }) => sum + free, 0),
        waitSeconds: waits.length === 0 ? busyPauseSeconds : Math.min(...waits),
      }
    },
    ask: async (call, step, candidates, signal) => {
      let wait = Number.POSITIVE_INFINITY
      let reason = 'No provider does this step'
      let failure: ProviderError | undefined
      for (const candidate of candidates) {
        signal.throwIfAborted()
        const [leave] = await admitRequest(pool, candidate.name, call, step, owner, expiresSeconds)
        if (leave?.request == null) {
          wait = Math.min(wait, leave?.wait ?? busyPauseSeconds)
          reason = `Waiting for ${candidate.name}: ${leave?.reason ?? 'it is not asked now'}`
          continue
        }
        inFlight += 1
        try {
          return await askOne(leave.request, candidate, signal)
        } catch (error) {
          if (!(error instanceof ProviderError) || error.kind === 'retryable') throw error
          failure = error
        } finally {
          inFlight -= 1
        }
      }
      if (
        failure !== undefined &&
        (failure.kind === 'permanent' || wait === Number.POSITIVE_INFINITY)
      )
        throw failure
      throw new NotNow(Math.min(wait, failure?.retryAfterSeconds ?? wait), reason)
    },
    stop: renewing.stop,
  }
}
