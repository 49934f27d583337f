// The analysis of completed calls: claims what is due, up to a number at once, keeps the leases alive, and
// gives everything back at a shutdown. The call's row is the job; there is no other queue.
import type { Pool } from '../database/pool.ts'
import { startPulse } from '../pulse.ts'
import {
  type AttemptOptions,
  type AttemptOutcome,
  leaseLost,
  runAttempt,
  shuttingDown,
} from './attempt.ts'
import type { Capacity } from './health.ts'
import { type Claim, claimCalls, nextAnalysisDue, renewLeases } from './statements.ts'

/** What the analysis needs. */
export type AnalysisOptions = AttemptOptions & {
  readonly pool: Pool
  /** Who this process is, in leases and attempts. */
  readonly owner: string
  readonly concurrency: number
  /** The first provider of the settings, as attempts are labelled. */
  readonly providerName: string
  /** How many calls may be begun beside those in work, as far as the providers are concerned. */
  readonly capacity: (inWork: number) => Promise<Capacity>
  readonly leaseSeconds: number
  /** Called after an attempt began or ended: there are events to publish. */
  readonly onEvents: () => void
}

/** Measured since the start of the process. */
export type AnalysisStatistics = {
  readonly is_running: boolean
  readonly processed_count: number
  readonly ai_service_stats: {
    readonly total_requests: number
    readonly successful: number
    readonly failed: number
    /** 0 to 1; 0 before the first answer. */
    readonly success_rate: number
  }
}

/** The running analysis. */
export type Analysis = {
  /** Looks for work now. */
  readonly wake: () => void
  /** Looks for work in so many seconds: a call will be due. */
  readonly wakeIn: (seconds: number) => void
  readonly statistics: () => AnalysisStatistics
  /** Gives every claimed call back and ends. */
  readonly stop: () => Promise<void>
}

type Running = { readonly claim: Claim; readonly abort: AbortController; done: Promise<void> }

const pollMs = 1_000
const claimsPerStatement = 100

/** Starts to analyse. */
export function startAnalysis(options: AnalysisOptions): Analysis {
  const { pool, logger, leaseSeconds } = options
  const running = new Map<number, Running>()
  const counts: Record<AttemptOutcome, number> = {
    succeeded: 0,
    failed: 0,
    released: 0,
    refused: 0,
  }
  let requests = 0
  let stopped = false

  const claiming = startPulse({
    everyMs: pollMs,
    onError: (error) => logger.error({ err: error }, 'no calls could be claimed; trying again'),
    run: async () => {
      while (!stopped) {
        const own = Math.min(options.concurrency - running.size, claimsPerStatement)
        if (own <= 0) return undefined
        const capacity = await options.capacity(running.size)
        // Calls wait where they are, oldest first, while no provider is well.
        if (capacity.free === 0) return capacity.waitSeconds * 1_000
        const free = Math.min(own, capacity.free)
        const claims = await claimCalls(
          pool,
          options.owner,
          options.providerName,
          free,
          leaseSeconds,
        )
        for (const claim of claims) begin(claim)
        if (claims.length > 0) options.onEvents()
        if (claims.length < free) break
      }
      const [next] = await nextAnalysisDue(pool)
      // What is due now was just skipped, locked by somebody: give them a moment.
      return next?.seconds == null ? undefined : Math.max(next.seconds * 1_000, 20)
    },
  })

  const renewing = startPulse({
    everyMs: (leaseSeconds * 1_000) / 3,
    onError: (error) => logger.error({ err: error }, 'leases could not be renewed; trying again'),
    run: async () => {
      const held = [...running.values()]
      if (held.length === 0) return undefined
      const renewed = await renewLeases(
        pool,
        held.map(({ claim }) => claim.id),
        held.map(({ claim }) => claim.lease_token),
        leaseSeconds,
      )
      const still = new Set(renewed.map(({ id }) => id))
      for (const { claim, abort } of held)
        if (!still.has(claim.id) && running.get(claim.id)?.claim === claim) abort.abort(leaseLost)
      return undefined
    },
  })

  function begin(claim: Claim): void {
    const abort = new AbortController()
    // A claim that outlived its lease in this very process: the newer one counts.
    running.get(claim.id)?.abort.abort(leaseLost)
    const entry: Running = { claim, abort, done: Promise.resolve() }
    running.set(claim.id, entry)
    requests += 1
    logger.debug({ call_id: claim.call_id, attempt: claim.attempt }, 'analysis begins')
    entry.done = runAttempt(claim, options, abort.signal)
      .then((outcome) => {
        counts[outcome] += 1
      })
      .catch((error: unknown) =>
        logger.error(
          { err: error, call_id: claim.call_id },
          'an attempt could not be recorded; its lease runs out and the call is taken again',
        ),
      )
      .finally(() => {
        if (running.get(claim.id) === entry) running.delete(claim.id)
        options.onEvents()
        claiming.wake()
      })
  }

  return {
    wake: claiming.wake,
    wakeIn: (seconds) => claiming.wakeIn(seconds * 1_000),
    statistics: () => {
      const answered = counts.succeeded + counts.failed
      return {
        is_running: !stopped,
        processed_count: counts.succeeded,
        ai_service_stats: {
          total_requests: requests,
          successful: counts.succeeded,
          failed: counts.failed,
          success_rate: answered === 0 ? 0 : counts.succeeded / answered,
        },
      }
    },
    stop: async () => {
      stopped = true
      await claiming.stop()
      const left = [...running.values()]
      for (const { abort } of left) abort.abort(shuttingDown)
      await Promise.all(left.map(({ done }) => done))
      await renewing.stop()
    },
  }
}
