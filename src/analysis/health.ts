// Asks AI services, and only those that are well. Before a request the database is asked for leave, afterwards it is
// told what became of it; so all gateways know of an outage when one of them does, and none knocks over what heals.
import { setTimeout as pause } from 'node:timers/promises'
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
import { afterRefusals } from './refusals.ts'
import type { Answer, Use } from './service.ts'
import { recallCalls } from './statements.ts'

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
  readonly ask: () => Promise<Answer<T>>
}

/** An answer and who gave it. */
export type Given<T> = Answer<T> & { readonly provider: string; readonly latencyMs: number }

/** How many calls may be begun now; if none, in how many seconds to look again. */
export type Capacity = { readonly free: number; readonly waitSeconds: number }

/** The health of all providers. */
export type Health = {
  /** Makes the providers known, with how many requests each may get at once. */
  readonly declare: (providers: readonly { name: string; ceiling: number }[]) => Promise<void>
  /**
   * How many more calls these providers can be asked about.
   * @param begun calls of this process that are in work
   */
  readonly capacity: (names: readonly string[], begun: number) => Promise<Capacity>
  /**
   * Asks the first candidate that is well, when it has time; the next one when it is away or cannot deal with this
   * call. Rejects with {@link NotNow} when all that could are away, a `ProviderError`, or the signal's reason.
   * @param isLastTry the next one is asked also when the first fails in a way that may pass
   */
  readonly ask: <T>(
    call: number,
    step: string,
    candidates: readonly Candidate<T>[],
    signal: AbortSignal,
    isLastTry?: boolean,
  ) => Promise<Given<T>>
  /** Resolves when what became of the last request has been told. */
  readonly stop: () => Promise<void>
}

/** How soon to look again whether a provider has time: another process may have got its answer. */
const busyPauseSeconds = 0.25

const unexpected = new ProviderError('retryable', 'The provider failed unexpectedly')

/** Builds it. */
export function createHealth({ pool, owner, expiresSeconds, logger }: HealthOptions): Health {
  const underWay = new Set<number>()
  const asking = new Set<Promise<unknown>>()
  /** When each provider last answered this process, by `performance.now()`. */
  const answered = new Map<string, number>()
  /** Those that wait for a busy provider, in order. */
  const waiting = new Set<() => void>()
  const renewing = startPulse({
    everyMs: (expiresSeconds * 1_000) / 3,
    onError: (error) => logger.error({ err: error }, 'requests could not be renewed; trying again'),
    run: async () => {
      if (underWay.size > 0) await renewRequests(pool, [...underWay], expiresSeconds)
      return undefined
    },
  })

  /**
   * Tells what became of a request; resolves with how long it took, in milliseconds, and whether its failure is the
   * call's own.
   */
  async function tell(
    request: number,
    name: string,
    began: number,
    outcome: RequestOutcome,
    error?: ProviderError,
    { audioSeconds = 0, inputTokens = 0, outputTokens = 0 }: Use = {},
  ): Promise<{ latencyMs: number; isOwn: boolean }> {
    const now = performance.now()
    const latencyMs = now - began
    const lastAnswered = answered.get(name)
    if (outcome === 'succeeded') answered.set(name, now)
    const [states] = await reportRequest(
      pool,
      request,
      name,
      outcome,
      error?.message.replaceAll('\0', '\uFFFD') ?? null,
      latencyMs,
      error?.retryAfterSeconds ?? null,
      audioSeconds,
      inputTokens,
      outputTokens,
      lastAnswered === undefined ? null : (now - lastAnswered) / 1_000,
    )
    if (states !== undefined && states.state_before !== states.state_now) {
      logger.warn(
        {
          provider: name,
          was: states.state_before,
          is: states.state_now,
          reason: error?.message ?? null,
        },
        'the state of a provider changed',
      )
      if (states.state_now === 'closed') await recallCalls(pool)
    }
    return { latencyMs, isOwn: states?.is_own ?? false }
  }

  /** Resolves with a `ProviderError` when another provider may be asked, and rejects when none may. */
  async function askOne<T>(
    request: number,
    { name, ask }: Candidate<T>,
    signal: AbortSignal,
    isLastTry: boolean,
  ): Promise<Given<T> | ProviderError> {
    const began = performance.now()
    let answer: Answer<T>
    try {
      signal.throwIfAborted()
      answer = await ask()
    } catch (error) {
      const failure = error instanceof ProviderError ? error : unexpected
      if (signal.aborted) {
        await tell(request, name, began, 'released')
        throw error
      }
      const { isOwn } = await tell(request, name, began, failure.kind, failure)
      if (failure !== error || (failure.kind === 'retryable' && !isLastTry)) throw error
      return isOwn
        ? new ProviderError('retryable', `${failure.message}; it answers others`, { cause: error })
        : failure
    }
    const { latencyMs } = await tell(request, name, began, 'succeeded', undefined, answer.use)
    return { ...answer, provider: name, latencyMs }
  }

  async function askAny<T>(
    call: number,
    step: string,
    candidates: readonly Candidate<T>[],
    refusals: Map<string, ProviderError>,
    signal: AbortSignal,
    isLastTry: boolean,
  ): Promise<Given<T> | 'busy'> {
    let wait = Number.POSITIVE_INFINITY
    let reason = ''
    for (const candidate of candidates) {
      const { name } = candidate
      if (refusals.has(name)) continue
      signal.throwIfAborted()
      const [leave] = await admitRequest(pool, name, call, step, owner, expiresSeconds)
      if (leave?.request == null) {
        if (leave?.state === 'closed') return 'busy'
        wait = Math.min(wait, leave?.wait ?? busyPauseSeconds)
        reason ||= `Waiting for ${name}: ${leave?.reason ?? 'it is being tried'}`
        continue
      }
      underWay.add(leave.request)
      try {
        const given = await askOne(leave.request, candidate, signal, isLastTry)
        if (!(given instanceof ProviderError)) return given
        refusals.set(name, given)
      } finally {
        underWay.delete(leave.request)
        const [next] = waiting
        next?.()
      }
    }
    throw afterRefusals([...refusals.values()], wait, reason)
  }

  /** Waits until a request of this process is over, and not for long: it may be another's turn. */
  async function turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    // That the signal aborted is told by the next look.
    const longest = pause(busyPauseSeconds * 1_000, undefined, { signal }).catch(() => {})
    await Promise.race([promise, longest])
    waiting.delete(resolve)
  }

  async function askInTurn<T>(
    call: number,
    step: string,
    candidates: readonly Candidate<T>[],
    signal: AbortSignal,
    isLastTry = false,
  ): Promise<Given<T>> {
    const refusals = new Map<string, ProviderError>()
    while (true) {
      const given = await askAny(call, step, candidates, refusals, signal, isLastTry)
      if (given !== 'busy') return given
      await turn(signal)
    }
  }

  return {
    declare: async (providers) => {
      const names = providers.map(({ name }) => name)
      const ceilings = providers.map(({ ceiling }) => ceiling)
      await declareProviders(pool, names, ceilings)
    },
    capacity: async (names, begun) => {
      const rows = await providerCapacity(pool, [...names])
      // Nobody is asked beyond the first that is well.
      const firstWell = rows.findIndex(({ state }) => state === 'closed')
      const asked = firstWell === -1 ? rows : rows.slice(0, firstWell + 1)
      const free = asked.reduce((sum, row) => sum + row.free, 0)
      const aboutToAsk = Math.max(0, begun - underWay.size)
      return {
        free: Math.max(0, free - aboutToAsk),
        waitSeconds: Math.min(...asked.map(({ wait }) => wait ?? busyPauseSeconds)),
      }
    },
    ask: async (...request) => {
      const answer = askInTurn(...request)
      asking.add(answer)
      try {
        return await answer
      } finally {
        asking.delete(answer)
      }
    },
    stop: async () => {
      await renewing.stop()
      await Promise.allSettled(asking)
    },
  }
}
