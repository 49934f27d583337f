// A gateway under more load than it can take, and under load while its database stands still.
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Bench,
  type CpuSeconds,
  type MeasuredGateway,
  portOf,
  startCpuMeter,
} from './bench.ts'
import { epochNow } from './load/harness.ts'
import type { PostBin, PostFigures, PostOptions } from './load/posts.ts'
import { residentBytesOf } from './proc.ts'
import { runLoad } from './processes.ts'

/** How the load is to be; with a rate the loop is open. */
export type Load = Omit<PostOptions, 'port'>

/** What a load came to, with the processor time of all. */
export type Loaded = PostFigures & { readonly cpu: CpuSeconds }

/** Runs a load. */
export async function loadGateway(
  bench: Bench,
  gateway: MeasuredGateway,
  load: Load,
  onStart: () => void = () => {},
): Promise<Loaded> {
  let stop = startCpuMeter(bench, gateway)
  const options: PostOptions = { port: portOf(gateway), ...load }
  const script = new URL('./load/posts.ts', import.meta.url)
  const figures = await runLoad<PostFigures>(script, options, () => {
    stop = startCpuMeter(bench, gateway)
    onStart()
  })
  return { ...figures, cpu: stop() }
}

/** Something at a time, in seconds since the fault began. */
type Sample = readonly [second: number, value: number]

/** A load during which the database stood still. */
export type FaultFigures = Loaded & {
  readonly faultSeconds: number
  /** Packets accepted a second before the fault. */
  readonly before: number
  /** From the end of the fault until so many are accepted again, as a share of those before. */
  readonly recoverySeconds: number
  readonly acceptedOverTime: readonly Sample[]
  readonly shedOverTime: readonly Sample[]
  /** Resident memory of the gateway. */
  readonly memory: readonly Sample[]
}

const settleSeconds = 5
const recoveredShare = 0.9
const memoryEveryMs = 250
const binsPerSecond = 10

/** Runs a load and stops all processes of PostgreSQL for a while in the middle of it. */
export async function loadThroughFault(
  bench: Bench,
  gateway: MeasuredGateway,
  load: Load,
  faultSeconds: number,
): Promise<FaultFigures> {
  const memory: [number, number][] = []
  const timer = setInterval(
    () => memory.push([epochNow(), residentBytesOf(gateway.pid)]),
    memoryEveryMs,
  )
  try {
    const started = Promise.withResolvers<void>()
    const loading = loadGateway(bench, gateway, load, started.resolve)
    // Should it fail while the database stands still, it is told below.
    loading.catch(() => {})
    await Promise.race([started.promise, loading])
    await pause(settleSeconds * 1_000)
    const began = epochNow()
    let ended = began
    {
      using fault = bench.cluster.pause()
      await pause(faultSeconds * 1_000)
      fault.resume()
      ended = epochNow()
    }
    const figures = await loading
    const since = (at: number) => (at - began) / 1_000
    const end = (figures.bins[0]?.at ?? 0) + load.seconds * 1_000
    const bins = figures.bins.filter(({ at }) => at < end)
    const before = bins.filter(({ at }) => since(at) >= 1 - settleSeconds && since(at) < -0.2)
    const usual = meanOf(before)
    return {
      ...figures,
      faultSeconds: (ended - began) / 1_000,
      before: usual * binsPerSecond,
      recoverySeconds: recoveryAfter(bins, ended, usual),
      acceptedOverTime: bins.map(({ at, accepted }) => [since(at), accepted * binsPerSecond]),
      shedOverTime: bins.map(({ at, shed }) => [since(at), shed * binsPerSecond]),
      memory: memory.map(([at, bytes]) => [since(at), bytes]),
    }
  } finally {
    clearInterval(timer)
  }
}

/** Until half a second begins in which nearly as many are accepted as usual. */
function recoveryAfter(bins: readonly PostBin[], ended: number, usual: number): number {
  const halfSecond = binsPerSecond / 2
  const recovered = bins.find(
    ({ at }, place) =>
      at >= ended && meanOf(bins.slice(place, place + halfSecond)) >= recoveredShare * usual,
  )
  return recovered === undefined ? Number.POSITIVE_INFINITY : (recovered.at - ended) / 1_000
}

function meanOf(bins: readonly PostBin[]): number {
  return bins.reduce((sum, { accepted }) => sum + accepted, 0) / bins.length
}
