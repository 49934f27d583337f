// The primary process of a gateway on several cores. It serves no traffic: it forks the workers, which share one
// port, puts another in the place of one that dies, adds up what they count, and ends them in order.
import cluster from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { StartupError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Addresses } from './channel.ts'
import { afterTheEnd, type Figures, noFigures, sumFigures } from './figures.ts'
import { type End, forkMember, type Member } from './member.ts'

/** Workers that serve. */
export type Workers = Addresses & {
  /** Ends them in order; rejects when one did not end so. */
  readonly stop: () => Promise<void>
}

/** What the primary needs. */
export type WorkersOptions = {
  /** The settings of each worker, with a `DATABASE_URL` that is fit for use, and how many there are. */
  readonly config: Config
  readonly logger: Logger
  /** Gives up the start. */
  readonly signal: AbortSignal
}

/** Of the 20 s that a shutdown may take; the rest is for the database. */
const longestStopMs = 15_000
const firstPauseMs = 100
const longestPauseMs = 5_000
/** What a worker counted in its last second may be forgotten when it is killed. */
const rememberEveryMs = 1_000

/**
 * Starts the workers and waits until all of them listen.
 * @throws StartupError when the first of them cannot start for a reason that the operator can mend
 */
export async function startWorkers({ config, logger, signal }: WorkersOptions): Promise<Workers> {
  // Only the primary has the socket that listens: no worker can keep the port when it is gone.
  cluster.schedulingPolicy = cluster.SCHED_RR
  const members = new Map<number, Member>()
  const places: Promise<void>[] = []
  const stopping = new AbortController()
  const failed = Promise.withResolvers<never>()
  const disorderly: string[] = []
  let past = noFigures
  let settings = config
  let addresses: Addresses | undefined

  async function total(): Promise<Figures> {
    const before = past
    const present = await Promise.all([...members.values()].map((member) => member.figures()))
    return sumFigures([before, ...present])
  }

  /** The life of one worker, from its fork to its end. */
  async function live(worker: number, onReady: () => void): Promise<End> {
    const member = forkMember({
      config: settings,
      worker,
      total,
      onReady: ({ url, audioSocket }) => {
        addresses ??= { url, audioSocket }
        if (url === addresses.url) return onReady()
        // All had died at once, the port with them, and port 0 became another one: back to where we were.
        settings = { ...config, APP_PORT: Number(new URL(addresses.url).port) }
        member.kill()
      },
    })
    members.set(worker, member)
    try {
      return await member.ended
    } finally {
      members.delete(worker)
      past = sumFigures([past, afterTheEnd(member.lastFigures())])
    }
  }

  /** Keeps a place filled until the shutdown. */
  async function keepFilled(worker: number, onReady: () => void): Promise<void> {
    let pauseMs = firstPauseMs
    while (!stopping.signal.aborted) {
      const { how, reason, wasReady } = await live(worker, onReady).catch(notForked)
      if (stopping.signal.aborted) {
        if (how !== 'in order') disorderly.push(`worker ${worker}: ${reason}`)
        return
      }
      if (how === 'refused' && addresses === undefined)
        return failed.reject(new StartupError(reason))
      if (wasReady) {
        pauseMs = firstPauseMs
        logger.error({ worker, reason }, 'a worker died; another takes its place')
        continue
      }
      const again = { again_in_ms: pauseMs }
      logger.error({ worker, reason, ...again }, 'a worker did not start; trying again')
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
      pauseMs = Math.min(2 * pauseMs, longestPauseMs)
    }
  }

  /** Resolves when there is a worker at the place that listens. */
  function filled(worker: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    places.push(keepFilled(worker, resolve))
    return promise
  }

  async function fillAll(): Promise<Addresses> {
    // The first one alone: what is wrong for it is wrong for all, and is told once.
    await filled(1)
    await Promise.all(Array.from({ length: config.WORKERS - 1 }, (_, index) => filled(index + 2)))
    return addresses ?? { url: '', audioSocket: null }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    clearInterval(remembering)
    for (const member of members.values()) member.stop()
    const killing = setTimeout(() => {
      for (const member of members.values()) member.kill()
    }, longestStopMs)
    await Promise.all(places)
    clearTimeout(killing)
    if (disorderly.length > 0) throw new Error(`Not ended in order: ${disorderly.join(', ')}`)
  }

  const remembering = setInterval(total, rememberEveryMs)
  signal.addEventListener('abort', () => failed.reject(signal.reason))
  try {
    signal.throwIfAborted()
    return { ...(await Promise.race([fillAll(), failed.promise])), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function notForked(error: Error): End {
  return { how: 'died', reason: error.message, wasReady: false }
}
