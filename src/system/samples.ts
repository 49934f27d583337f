// Every ten seconds a process writes down that it lives and what it did.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Pool } from '../database/pool.ts'
import type { Logger } from '../telemetry/logger.ts'
import { percentileOf } from './histogram.ts'
import { type CountedCommit, Meter } from './meter.ts'
import {
  forgetGateway,
  pruneSamples,
  readOthersLoad,
  seeGateway,
  storeSample,
} from './statements.ts'

/** Who this process is. */
export type GatewayIdentity = {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
}

/** What the samples need. */
export type SampleOptions = {
  readonly pool: Pool
  readonly identity: GatewayIdentity
  /** How many connections that last are open now. */
  readonly sockets: () => number
  readonly logger: Logger
}

/** The running samples. */
export type Samples = {
  /** Counts a commit. */
  readonly committed: (commit: CountedCommit) => void
  /** Packets a second of all gateways, and the median of this one's commits, since it was asked last. */
  readonly load: () => { readonly packets_per_second: number; readonly commit_ms: number }
  readonly stop: () => Promise<void>
}

const stretchMs = 10_000
const resolutionMs = 20
const nanosecondsPerMs = 1e6

/** Starts to write samples; the first tells that the process has started. */
export function startSamples({ pool, identity, sockets, logger }: SampleOptions): Samples {
  const { id, host, pid, version } = identity
  const startedAt = new Date()
  const steady = () => performance.now()
  const forSamples = new Meter(steady)
  const forTicks = new Meter(steady)
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  let others = 0
  let lastCommitMs = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function sample(): Promise<void> {
    const { seconds, packets, lost, commitTimes, calls } = forSamples.read()
    // The monitor measures from one of its own ticks to the next.
    const delay = Math.max(delays.percentile(99) / nanosecondsPerMs - resolutionMs, 0)
    delays.reset()
    await seeGateway(pool, id, host, pid, version, startedAt)
    await storeSample(
      pool,
      id,
      seconds,
      packets,
      lost,
      commitTimes,
      calls,
      sockets(),
      process.memoryUsage.rss(),
      Math.round(delay * 10) / 10,
    )
    await pruneSamples(pool)
    const [load] = await readOthersLoad(pool, id)
    others = load?.packets_per_second ?? 0
  }

  let current: Promise<void> = Promise.resolve()
  function run(): void {
    current = sample()
      .catch((error: unknown) => logger.warn({ err: error }, 'a sample was not stored'))
      .then(() => {
        // All processes at the same moments, so that their stretches are the same.
        const rest = stretchMs - (Date.now() % stretchMs)
        const pause = rest < stretchMs / 2 ? rest + stretchMs : rest
        if (!stopped) timer = setTimeout(run, pause)
      })
  }
  run()

  return {
    committed: (commit) => {
      forSamples.committed(commit)
      forTicks.committed(commit)
    },
    load: () => {
      const { seconds, packets, commitTimes } = forTicks.read()
      lastCommitMs = percentileOf(commitTimes, 0.5) || lastCommitMs
      const perSecond = packets / seconds + others
      return { packets_per_second: Math.round(perSecond * 10) / 10, commit_ms: lastCommitMs }
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      delays.disable()
      await current
      await forgetGateway(pool, id).catch((error: unknown) =>
        logger.warn({ err: error }, 'the end of this process was not written down'),
      )
    },
  }
}
