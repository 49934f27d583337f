// Calls as they live, 50 packets a second each, over a WebSocket of their own or over that of their PBX; and how
// many of them it takes to break the promise.
import { type Bench, portOf, startCpuMeter, startMeasuredGateway } from '../bench.ts'
import { countStored } from '../cluster.ts'
import type { LiveFigures, LiveOptions } from '../load/live.ts'
import { type Listening, runLoads, startBareServer } from '../processes.ts'
import { count, ms } from '../report/format.ts'
import type { LinePlot, Row, Section } from '../report/section.ts'
import { type Histogram, mergeHistograms } from '../statistics.ts'

const packetsPerSecond = 50
const loadProcesses = 2
const wantedCalls = 1_000
const longestLagMs = 250
/** A sender whose packets leave that late (p99) does not live any more. */
const latestMs = 50
const moreCalls = [1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000]
const moreSeconds = 20
const floorSeconds = 10
/** A process that was just started has compiled nothing yet. */
const warm = { calls: 100, seconds: 5 }

/** How the calls reach the gateway. */
type Way = { readonly name: string; readonly callsPerSocket: number; readonly plot: string }

const ways: readonly Way[] = [
  { name: 'a socket each', callsPerSocket: 1, plot: 'live' },
  { name: '100 on a socket', callsPerSocket: 100, plot: 'live-shared' },
]

type Shown = Pick<Section, 'rows' | 'plots'>

/** What a number of calls came to. */
type Step = {
  readonly way: Way
  readonly calls: number
  readonly sent: number
  readonly lost: number
  readonly lag: Histogram
  readonly bySecond: readonly Histogram[]
  readonly maxLagMs: number
  readonly lateMs: number
  /** Cores that were in use. */
  readonly server: number
  readonly postgres: number
  readonly load: number
  /** What broke; empty when all held. */
  readonly broken: readonly string[]
}

/** Measures it. */
export async function measureLive(bench: Bench): Promise<Section> {
  const seconds = bench.full ? 60 : 15
  const measured: Shown[] = []
  for (const way of ways) measured.push(await measureWay(bench, way, seconds))
  return {
    title: 'Live calls',
    about: `Each call sends a packet of 160 bytes every 20 ms, by a steady clock in ${loadProcesses} load \
processes that waits for no acknowledgement; the calls take turns evenly. Either each has a WebSocket of its own, and each \
packet is a write, or ${ways.at(-1)?.callsPerSocket} share one, as those of a PBX may, and packets that are due at once are a write. All \
begin at once, on a server that had ${warm.calls} calls for ${warm.seconds} s before. The commit lag of a packet is from its sending until \
the acknowledgement that covers it was read. Packets are *late* by what they were sent after their time: the load keeps \
its clock. With \`--full\`, more calls are added until the lag's p99 reaches ${longestLagMs} ms, a packet is lost, or the load cannot keep its \
clock (late p99 over ${latestMs} ms). The baseline is the same load for ${floorSeconds} s on a bare \`ws\` server that stores nothing and \
acknowledges every 20 ms: what the machine and the load can do.`,
    rows: measured.flatMap(({ rows }) => rows),
    plots: measured.flatMap(({ plots }) => plots),
  }
}

async function measureWay(bench: Bench, way: Way, seconds: number): Promise<Shown> {
  const floor = await playOnBareServer(bench, way, wantedCalls, floorSeconds)
  const first = await playCalls(bench, way, wantedCalls, seconds)
  const steps = [first]
  if (bench.full)
    for (const calls of moreCalls) {
      if (steps.at(-1)?.broken.length !== 0) break
      steps.push(await playCalls(bench, way, calls, moreSeconds))
    }
  const last = steps.at(-1) ?? first
  const hasSteps = steps.length > 1
  return {
    rows: [
      ...rowsOf(first, floor, seconds),
      ...steps.slice(1).map(
        (step): Row => ({
          what: `${nameOf(step)} for ${moreSeconds} s: lag p50, p99, max`,
          figure: lagOf(step),
          bar: step.broken.length === 0 ? 'holds' : `breaks: ${step.broken.join('; ')}`,
        }),
      ),
      ...(hasSteps
        ? [
            {
              what: `cores used at ${count(last.calls)} calls by server, PostgreSQL, load`,
              figure: shares(last),
            },
          ]
        : []),
    ],
    plots: [plotOverTime(first), ...(hasSteps ? [plotByCalls(steps)] : [])],
  }
}

async function playCalls(bench: Bench, way: Way, calls: number, seconds: number): Promise<Step> {
  bench.progress(`${calls} calls, ${way.name}, for ${seconds} s`)
  await using gateway = await startMeasuredGateway(bench)
  return await play(bench, gateway, way, calls, seconds, async () => {
    const { packets } = await countStored(gateway.databaseUrl, 'live-')
    return packets
  })
}

async function playOnBareServer(
  bench: Bench,
  way: Way,
  calls: number,
  seconds: number,
): Promise<Step> {
  bench.progress(`${calls} calls, ${way.name}, for ${seconds} s on a bare server`)
  await using server = await startBareServer(new URL('../bare-websocket.ts', import.meta.url))
  return await play(bench, server, way, calls, seconds, async () => Number.POSITIVE_INFINITY)
}

/** @param countKept how many packets the server has kept */
async function play(
  bench: Bench,
  server: Listening,
  way: Way,
  calls: number,
  seconds: number,
  countKept: () => Promise<number>,
): Promise<Step> {
  const script = new URL('../load/live.ts', import.meta.url)
  const common = { port: portOf(server), packetsPerSecond }
  await runLoads<LiveFigures>(script, [{ ...common, run: 'warm', ...warm }])
  let meter = startCpuMeter(bench, server)
  const options = Array.from(
    { length: loadProcesses },
    (_, part): LiveOptions => ({
      ...common,
      run: `live-${part}`,
      calls: calls / loadProcesses,
      callsPerSocket: way.callsPerSocket,
      seconds,
    }),
  )
  const all = await runLoads<LiveFigures>(script, options, () => {
    meter = startCpuMeter(bench, server)
  })
  const cpu = meter()
  const sum = (pick: (figures: LiveFigures) => number) =>
    all.reduce((total, figures) => total + pick(figures), 0)
  const elapsed = Math.max(...all.map((figures) => figures.seconds))
  const lag = mergeHistograms(all.flatMap(({ lagBySecond }) => lagBySecond))
  const sent = sum((figures) => figures.sent)
  // Lost is a packet that was acknowledged and is not stored, or that was never acknowledged.
  const acknowledged = sum((figures) => figures.acknowledged)
  const lost = sent - Math.min(await countKept(), acknowledged)
  const lateMs = mergeHistograms(all.map(({ lateness }) => lateness)).percentile(0.99)
  return {
    way,
    calls,
    sent,
    lost,
    lag,
    bySecond: Array.from({ length: seconds }, (_, second) =>
      mergeHistograms(all.map(({ lagBySecond }) => lagBySecond[second] ?? [])),
    ),
    maxLagMs: Math.max(...all.map(({ maxLagMs }) => maxLagMs)),
    lateMs,
    server: cpu.server / elapsed,
    postgres: cpu.postgres / elapsed,
    load: sum(({ cpuSeconds }) => cpuSeconds) / elapsed,
    broken: [
      ...(lost > 0 ? [`${count(lost)} packets were not settled`] : []),
      ...(lateMs > latestMs ? ['the load cannot keep its clock'] : []),
      ...(lag.percentile(0.99) >= longestLagMs ? ['the lag'] : []),
    ],
  }
}

function rowsOf(step: Step, floor: Step, seconds: number): Row[] {
  const p99 = step.lag.percentile(0.99)
  return [
    {
      what: `${nameOf(step)} for ${seconds} s: commit lag p50, p99, max`,
      figure: lagOf(step),
      baseline: lagOf(floor),
      bar: `p99 < ${longestLagMs} ms`,
      met: p99 < longestLagMs,
    },
    {
      what: `lost, of ${count(step.sent)} packets`,
      figure: count(step.lost),
      bar: '0',
      met: step.lost === 0,
    },
    { what: 'packets were late, p99', figure: ms(step.lateMs), baseline: ms(floor.lateMs) },
    {
      what: 'cores used by server, PostgreSQL, load',
      figure: shares(step),
      baseline: shares(floor),
    },
  ]
}

function nameOf({ way, calls }: Step): string {
  return `${count(calls)} calls, ${way.name},`
}

function lagOf({ lag, maxLagMs }: Step): string {
  return [lag.percentile(0.5), lag.percentile(0.99), maxLagMs].map(ms).join(', ')
}

function shares({ server, postgres, load }: Step): string {
  return [server, postgres, load].map((share) => share.toFixed(2)).join(', ')
}

const limit = { value: longestLagMs, label: `the bar: p99 < ${longestLagMs} ms` }

function plotOverTime({ way, calls, bySecond }: Step): LinePlot {
  const points = (share: number) =>
    bySecond.map((lag, second) => [second + 0.5, lag.percentile(share)] as const)
  return {
    kind: 'line',
    name: way.plot,
    title: `Commit lag of ${count(calls)} live calls, ${way.name}, ${count(calls * packetsPerSecond)} packets/s`,
    x: { label: 'time', unit: 's' },
    y: { label: 'commit lag', unit: 'ms' },
    series: [
      { name: 'p99', points: points(0.99) },
      { name: 'p50', points: points(0.5) },
    ],
    limit,
  }
}

function plotByCalls(steps: readonly Step[]): LinePlot {
  const points = (share: number) =>
    steps.map(({ calls, lag }) => [calls, lag.percentile(share)] as const)
  return {
    kind: 'line',
    name: `${steps[0]?.way.plot}-calls`,
    title: `Commit lag by the number of live calls, ${steps[0]?.way.name}`,
    x: { label: 'calls of 50 packets/s', unit: '' },
    y: { label: 'commit lag', unit: 'ms' },
    series: [
      { name: 'p99', points: points(0.99) },
      { name: 'p50', points: points(0.5) },
    ],
    limit,
  }
}
