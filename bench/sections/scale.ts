// Nothing slows down with what is stored: the same things timed on gateways whose databases hold 10^3 to 10^6
// calls, a tenth of them waiting for their analysis.
import { type Bench, type MeasuredGateway, startMeasuredGateway } from '../bench.ts'
import { fillDatabase, waitingShare } from '../fill.ts'
import { type Latencies, measureLatencies, type TimedStep, timedSteps } from '../latencies.ts'
import { loadWithPosts, type PacketFigures } from '../post-load.ts'
import { count, ms } from '../report/format.ts'
import type { BarPlot, LinePlot, Row, Section } from '../report/section.ts'
import { median, percentile } from '../statistics.ts'

// Nothing slows down, as far as a machine with other work to do can tell.
const leastRatio = 0.85
const greatestRatio = 1.25

const shortSizes = [1_000, 10_000, 100_000]
const fullSizes = [...shortSizes, 1_000_000]

// One analysis at once, which never ends: the calls that wait go on waiting, and are due.
const settings = {
  ANALYSIS_CONCURRENCY: '1',
  AI_SERVICE_MIN_LATENCY: '600',
  AI_SERVICE_MAX_LATENCY: '600',
  ANALYSIS_TIMEOUT_SECONDS: '3600',
  AI_SERVICE_FAILURE_RATE: '0',
}

type Size = {
  readonly calls: number
  readonly gateway: MeasuredGateway
  readonly latencies: Latencies[]
  readonly packets: PacketFigures[]
}

/** Measures it. */
export async function measureScale(bench: Bench): Promise<Section> {
  await using stack = new AsyncDisposableStack()
  const rounds = bench.full ? 5 : 3
  const seconds = bench.full ? 5 : 2
  const sizes: Size[] = []
  for (const calls of bench.full ? fullSizes : shortSizes)
    sizes.push({
      calls,
      gateway: stack.use(await startFilled(bench, calls)),
      latencies: [],
      packets: [],
    })
  for (let round = 0; round <= rounds; round += 1) {
    bench.progress(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`)
    // Up and down in turns, so that what drifts with time is no size's fault.
    for (const { calls, gateway, latencies, packets } of round % 2 === 0
      ? sizes
      : sizes.toReversed()) {
      const run = `round-${round}`
      const latency = await measureLatencies(gateway, calls, run)
      const load = { run, connections: 64, calls: 500, seconds: round === 0 ? 1 : seconds }
      const posted = await loadWithPosts(gateway, load)
      if (round === 0) continue
      latencies.push(latency)
      packets.push(posted)
    }
  }
  const steps = Object.keys(timedSteps) as TimedStep[]
  return {
    title: 'By the number of calls stored',
    about: `Databases with ${sizes.map(({ calls }) => count(calls)).join(', ')} calls, ${waitingShare * 100} % of \
them waiting for their analysis and due, each with a gateway of its own whose one analysis never ends. In \
${rounds} rounds over all sizes in turn: packets by POST for ${seconds} s (64 connections, 500 calls), then single \
things one after the other on the otherwise idle gateway. *Figure* is with the most calls, *baseline* with the \
fewest, *ratio* of the medians; times are p50 and p99. Claims are SQL and rolled back.`,
    rows: [postRow(sizes), refusedRow(sizes), ...steps.map((step) => stepRow(sizes, step))],
    plots: [
      latencyPlot(
        sizes,
        // Nearly the line of the first page.
        steps.filter((step) => step !== 'deepHistory'),
      ),
      packetsPlot(sizes),
    ],
  }
}

async function startFilled(bench: Bench, calls: number): Promise<MeasuredGateway> {
  bench.progress(`filling a database with ${count(calls)} calls`)
  const began = performance.now()
  const gateway = await startMeasuredGateway(bench, settings, (url) => fillDatabase(url, calls))
  bench.progress(`took ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return gateway
}

function postRow(sizes: readonly Size[]): Row {
  const perSecond = sizes.map(({ packets }) => median(packets.map((one) => one.perSecond)))
  const [fewest = 0] = perSecond
  const most = perSecond.at(-1) ?? 0
  const p99 = (size: Size | undefined) => ms(median(size?.packets.map((one) => one.p99Ms) ?? []))
  return {
    what: 'packets/s by POST; p99',
    figure: `${count(most)}; ${p99(sizes.at(-1))}`,
    baseline: `${count(fewest)}; ${p99(sizes[0])}`,
    ratio: most / fewest,
    bar: `ratio ≥ ${leastRatio}`,
    met: most / fewest >= leastRatio,
  }
}

function refusedRow(sizes: readonly Size[]): Row {
  const refused = (size: Size | undefined) =>
    size?.packets.reduce((sum, one) => sum + one.refused, 0) ?? 0
  return {
    what: 'answers other than 202',
    figure: count(refused(sizes.at(-1))),
    baseline: count(refused(sizes[0])),
  }
}

function stepRow(sizes: readonly Size[], step: TimedStep): Row {
  const all = sizes.map(({ latencies }) => latencies.flatMap((one) => one[step]))
  const [fewest = []] = all
  const most = all.at(-1) ?? []
  const shown = (times: readonly number[]) =>
    `${ms(percentile(times, 0.5))}, ${ms(percentile(times, 0.99))}`
  const ratio = percentile(most, 0.5) / percentile(fewest, 0.5)
  return {
    what: timedSteps[step],
    figure: shown(most),
    baseline: shown(fewest),
    ratio,
    bar: `ratio ≤ ${greatestRatio}`,
    met: ratio <= greatestRatio,
  }
}

function latencyPlot(sizes: readonly Size[], steps: readonly TimedStep[]): LinePlot {
  return {
    kind: 'line',
    name: 'scale',
    title: 'Latency by the number of calls stored (p50)',
    x: { label: 'calls stored, a tenth of them waiting', unit: '', scale: 'log' },
    y: { label: 'latency', unit: 'ms', scale: 'log' },
    series: steps.map((step) => ({
      name: timedSteps[step],
      points: sizes.map(({ calls, latencies }) => [
        calls,
        percentile(
          latencies.flatMap((one) => one[step]),
          0.5,
        ),
      ]),
    })),
  }
}

function packetsPlot(sizes: readonly Size[]): BarPlot {
  return {
    kind: 'bar',
    name: 'scale-packets',
    title: 'Packets by POST, by the number of calls stored',
    y: { label: 'packets', unit: '1/s' },
    groups: sizes.map(({ calls }) => count(calls)),
    series: [
      {
        name: 'durable packets/s',
        values: sizes.map(({ packets }) => median(packets.map(({ perSecond }) => perSecond))),
      },
    ],
  }
}
