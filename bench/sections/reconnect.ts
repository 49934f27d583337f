// All supervisors are cut off at once and come back at once, while calls are live: does ingest notice?
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Bench,
  type CpuSeconds,
  type MeasuredGateway,
  portOf,
  startCpuMeter,
  startMeasuredGateway,
} from '../bench.ts'
import { countStored } from '../cluster.ts'
import { type Crowd, type CrowdFigures, startCrowd } from '../crowd.ts'
import { feedSettings, playCalls, settledHead } from '../feed.ts'
import type { LiveFigures, LiveOptions } from '../load/live.ts'
import { residentBytesOf } from '../proc.ts'
import { runLoad } from '../processes.ts'
import { count, mebibytes, ms, seconds } from '../report/format.ts'
import type { LinePlot, Section } from '../report/section.ts'
import { type Histogram, mergeHistograms } from '../statistics.ts'

const transports = ['websocket', 'stream'] as const
const clientsEach = 5_000
const load = { run: 'live', calls: 100, packetsPerSecond: 50, seconds: 30 }
const eventRun = 'reconnect'
/** Of five events each, every one of which goes to every client. */
const callsPerSecond = 1
const warmUpSeconds = 2
const cutAfterSeconds = 12
const wantedLagMs = 250

/** The cut, and what came of it. */
type Storm = {
  /** Until the last client was let in. */
  readonly seconds: number
  readonly cpu: CpuSeconds
  /** Memory of the gateway, in bytes. */
  readonly before: number
  readonly peak: number
}

/** Measures it. */
export async function measureReconnect(bench: Bench): Promise<Section> {
  await using stack = new AsyncDisposableStack()
  const gateway = stack.use(await startMeasuredGateway(bench, feedSettings))
  const after = await settledHead(gateway.databaseUrl)
  bench.progress(`${count(clientsEach * transports.length)} clients connect`)
  const port = portOf(gateway)
  const crowds: Crowd[] = []
  for (const transport of transports)
    crowds.push(stack.use(await startCrowd({ port, transport, clients: clientsEach, after })))

  bench.progress('they are cut off while calls are live')
  let cutting: Promise<Storm> | undefined
  let playing: Promise<void> | undefined
  const live = await runLoad<LiveFigures>(
    new URL('../load/live.ts', import.meta.url),
    { port, ...load } satisfies LiveOptions,
    () => {
      cutting = cutAll(bench, gateway, crowds)
      playing = playCalls(gateway.url, eventRun, load.seconds * callsPerSecond, callsPerSecond)
    },
  )
  await playing
  const storm = await cutting
  if (storm === undefined) throw new Error('the load did not begin')
  const memory = residentBytesOf(gateway.pid)
  const head = await settledHead(gateway.databaseUrl, eventRun)
  const heard = await Promise.all(crowds.map((crowd) => crowd.finish(head)))
  const { packets } = await countStored(gateway.databaseUrl, load.run)
  const lost = live.sent - Math.min(live.acknowledged, packets)
  return report({ live, lost, storm, memory, heard, events: head - after })
}

/** Waits for its time, cuts all off, and watches until the last is back. */
async function cutAll(
  bench: Bench,
  gateway: MeasuredGateway,
  crowds: readonly Crowd[],
): Promise<Storm> {
  await pause(cutAfterSeconds * 1_000)
  const before = residentBytesOf(gateway.pid)
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, residentBytesOf(gateway.pid))
  }, 100)
  const meter = startCpuMeter(bench, gateway)
  const took = await Promise.all(crowds.map((crowd) => crowd.cut()))
  clearInterval(watch)
  return { seconds: Math.max(...took), cpu: meter(), before, peak }
}

type Found = {
  readonly live: LiveFigures
  readonly lost: number
  readonly storm: Storm
  /** Of the gateway, at the end, in bytes. */
  readonly memory: number
  readonly heard: readonly CrowdFigures[]
  readonly events: number
}

function report({ live, lost, storm, memory, heard, events }: Found): Section {
  const lagBetween = (from: number, to: number) => mergeHistograms(live.lagBySecond.slice(from, to))
  const back = cutAfterSeconds + Math.ceil(storm.seconds)
  const before = lagBetween(warmUpSeconds, cutAfterSeconds)
  const atCut = lagBetween(cutAfterSeconds, cutAfterSeconds + 1)
  const during = lagBetween(cutAfterSeconds + 1, back)
  const later = lagBetween(back, load.seconds)
  const sum = (pick: (figures: CrowdFigures) => number) =>
    heard.reduce((total, figures) => total + pick(figures), 0)
  const wrong = sum((figures) => figures.wrong)
  return {
    title: 'Everybody reconnects',
    about: `${count(clientsEach)} WebSockets and ${count(clientsEach)} event streams hear ${5 * callsPerSecond} events a \
second of one gateway, and ${load.calls} live calls of ${load.packetsPerSecond} packets/s each are sent to it. After \
${cutAfterSeconds} s all clients are cut off at once (their sockets are reset) and connect again at once with their positions: \
no client waits, as a browser would. The lag of a packet is from its sending until its acknowledgement was read; *while they \
come back* is from the second after the cut until the last client was let in. Every client checks every event that it hears. \
The clients are two processes on the same two cores, which reset and open ten thousand sockets in the second of the cut.`,
    rows: [
      ...(
        [
          ['in the second of the cut', atCut],
          ['while they come back', during],
          ['after', later],
        ] as const
      ).map(([when, lag]) => ({
        what: `commit lag ${when}, p50, p99 (baseline: before)`,
        figure: lagOf(lag),
        baseline: lagOf(before),
        bar: `p99 < ${wantedLagMs} ms`,
        met: lag.percentile(0.99) < wantedLagMs,
      })),
      {
        what: `lost, of ${count(live.sent)} packets`,
        figure: count(lost),
        bar: '0',
        met: lost === 0,
      },
      ...transports.map((transport, place) => {
        const entered = mergeHistograms([heard[place]?.back ?? []])
        return {
          what: `until a ${transport === 'stream' ? 'stream' : 'WebSocket'} was back, p50, p99, last`,
          figure: [0.5, 0.99, 1].map((share) => ms(entered.percentile(share))).join(', '),
        }
      }),
      {
        what: 'attempts to connect that failed; connections that the gateway ended',
        figure: [sum(({ refused }) => refused), sum(({ dropped }) => dropped)]
          .map(count)
          .join('; '),
      },
      {
        what: `events missed, heard twice or out of order, of ${count(events)} to each`,
        figure: count(wrong),
        bar: '0',
        met: wrong === 0,
      },
      {
        what: 'memory of the gateway: before, at the most, at the end',
        figure: [storm.before, storm.peak, memory].map(mebibytes).join(', '),
      },
      {
        what: 'processor time from the cut until all were back: gateway, PostgreSQL',
        figure: [storm.cpu.server, storm.cpu.postgres].map(seconds).join(', '),
      },
      {
        what: 'packets were late, p99',
        figure: ms(mergeHistograms([live.lateness]).percentile(0.99)),
      },
    ],
    plots: [plotOf(live, storm)],
  }
}

function lagOf(lag: Histogram): string {
  return [lag.percentile(0.5), lag.percentile(0.99)].map(ms).join(', ')
}

function plotOf({ lagBySecond }: LiveFigures, storm: Storm): LinePlot {
  const points = (share: number) =>
    lagBySecond.map(
      (lag, second) => [second + 0.5, mergeHistograms([lag]).percentile(share)] as const,
    )
  return {
    kind: 'line',
    name: 'reconnect',
    title: `Commit lag of ${load.calls} live calls while ${count(clientsEach * transports.length)} clients come back`,
    x: { label: 'time', unit: 's' },
    y: { label: 'commit lag', unit: 'ms' },
    series: [
      { name: 'p99', points: points(0.99) },
      { name: 'p50', points: points(0.5) },
    ],
    span: { from: cutAfterSeconds, to: cutAfterSeconds + storm.seconds, label: 'reconnecting' },
    limit: { value: wantedLagMs, label: `the bar: p99 < ${wantedLagMs} ms` },
  }
}
