// Memory over a long run at half of the peak, with calls that come and go over every door.
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import { type Bench, type MeasuredGateway, portOf, startMeasuredGateway } from '../bench.ts'
import { countStored } from '../cluster.ts'
import { freePort, type Inspector, openInspector } from '../inspector.ts'
import type { LiveFigures, LiveOptions } from '../load/live.ts'
import { loadGateway } from '../overload-load.ts'
import { residentBytesOf } from '../proc.ts'
import { runLoad } from '../processes.ts'
import { count, mebibytes } from '../report/format.ts'
import type { LinePlot, Row, Section } from '../report/section.ts'
import { slope } from '../statistics.ts'

const share = 0.5
const post = { connections: 64, calls: 512 }
const packetsPerCall = 250
/** Live calls over WebSocket beside the POSTs; new ones on new sockets in every turn. */
const live = { calls: 100, packetsPerSecond: 50, seconds: 20 }
/** What a run of some minutes may grow by in one of them and still be called flat. */
const flatMiBPerMinute = 1

type Sample = {
  readonly minute: number
  readonly resident: number
  readonly heap: number
  readonly postgres: number
}

/** After a full collection, in bytes. */
type Held = { readonly heap: number; readonly resident: number }

/** Measures it for so many minutes. */
export async function measureSoak(bench: Bench, minutes: number): Promise<Section> {
  const inspectorPort = await freePort()
  await using gateway = await startMeasuredGateway(bench, {
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
    ANALYSIS_CONCURRENCY: '256',
  })
  using inspector = await openInspector(inspectorPort)
  const supervisor = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`)
  let events = 0
  supervisor.on('message', () => {
    events += 1
  })
  supervisor.on('error', (error) => console.error('the supervisor:', error.message))

  bench.progress('the peak')
  const peak = await loadGateway(bench, gateway, { ...post, run: 'peak', seconds: 5 })
  const rate = (share * peak.accepted) / peak.seconds
  bench.progress(`${count(rate)} packets/s by POST and ${live.calls} live calls for ${minutes} min`)
  const turns = Math.max(1, Math.ceil((minutes * 60) / live.seconds))
  const seconds = turns * live.seconds
  const sampling = new AbortController()
  const [posted, streamed, sampled] = await Promise.all([
    loadGateway(bench, gateway, { ...post, run: 'soak', seconds, rate, packetsPerCall }),
    playLiveCalls(gateway, turns),
    sample(bench, gateway, inspector, seconds, sampling.signal),
  ]).finally(() => sampling.abort())
  supervisor.close()

  const stored = await countStored(gateway.databaseUrl, 'soak-')
  const storedLive = await countStored(gateway.databaseUrl, 'live-')
  const lost =
    Math.max(0, posted.accepted - stored.packets) + Math.max(0, streamed - storedLive.packets)
  const { samples, held } = sampled
  const perMinute = (held.end.resident - held.half.resident) / 2 ** 20 / (seconds / 60 / 2)
  return {
    title: `Memory over ${minutes} minutes at half of the peak`,
    about: `${count(rate)} packets/s by POST, half of what ${post.connections} connections get through, in calls \
that are completed after ${packetsPerCall} packets, analysed and archived, while others begin; beside them \
${live.calls} live calls over WebSocket, on new sockets every ${live.seconds} s, and a supervisor. Memory was read \
every second: of the gateway what is resident, and the JavaScript heap with its garbage; of PostgreSQL what its \
processes hold, shared pages counted once. The gateway's goes up and down with its garbage, over some minutes: what \
it *holds* was read after a full collection, after a tenth of the time, at half-time and at the end. PostgreSQL's \
slope is that of a straight line through the second half.`,
    rows: [
      {
        what: 'packets accepted by POST, over WebSocket',
        figure: bothOf(posted.accepted, streamed),
      },
      { what: '503s, other answers', figure: bothOf(posted.shed, posted.other) },
      {
        what: 'calls completed; events to the supervisor',
        figure: bothOf(posted.completed, events),
      },
      { what: 'acknowledged and not stored', figure: count(lost), bar: '0', met: lost === 0 },
      {
        what: 'the gateway holds of resident memory: slope of the second half; at the end (baseline: at half-time)',
        figure: `${perMinute.toFixed(2)} MiB/min; ${mebibytes(held.end.resident)}`,
        baseline: mebibytes(held.half.resident),
        bar: `≤ ${flatMiBPerMinute} MiB/min`,
        met: perMinute <= flatMiBPerMinute,
      },
      {
        what: 'its heap holds, at the end (baseline: after a tenth of the time)',
        figure: mebibytes(held.end.heap),
        baseline: mebibytes(held.early.heap),
        ratio: held.end.heap / held.early.heap,
      },
      {
        what: 'the most that was resident, in the last quarter (baseline: in the third)',
        figure: mebibytes(highestOf(samples, 3)),
        baseline: mebibytes(highestOf(samples, 2)),
      },
      postgresRow(samples),
    ],
    plots: [plotOf(samples)],
  }
}

async function playLiveCalls(gateway: MeasuredGateway, turns: number): Promise<number> {
  let acknowledged = 0
  for (let turn = 0; turn < turns; turn += 1) {
    const options: LiveOptions = { port: portOf(gateway), run: `live-${turn}`, ...live }
    const script = new URL('../load/live.ts', import.meta.url)
    acknowledged += (await runLoad<LiveFigures>(script, options)).acknowledged
  }
  return acknowledged
}

async function sample(
  { cluster }: Bench,
  gateway: MeasuredGateway,
  inspector: Inspector,
  seconds: number,
  signal: AbortSignal,
): Promise<{ samples: Sample[]; held: { early: Held; half: Held; end: Held } }> {
  const samples: Sample[] = []
  const began = performance.now()
  const nothing = { heap: Number.NaN, resident: Number.NaN }
  const held = { early: nothing, half: nothing, end: nothing }
  const hold = async () => ({
    heap: await inspector.heapHeld(),
    resident: residentBytesOf(gateway.pid),
  })
  for (let second = 0; second < seconds; second += 1) {
    if (second === Math.floor(seconds / 10)) held.early = await hold()
    if (second === Math.floor(seconds / 2)) held.half = await hold()
    samples.push({
      minute: (performance.now() - began) / 60_000,
      resident: residentBytesOf(gateway.pid),
      heap: await inspector.heapUsed(),
      postgres: cluster.memoryBytes(),
    })
    await pause(Math.max(0, began + (second + 1) * 1_000 - performance.now()), undefined, {
      signal,
    })
  }
  held.end = await hold()
  return { samples, held }
}

function highestOf(samples: readonly Sample[], quarter: number): number {
  const length = samples.length / 4
  const ofQuarter = samples.slice(Math.floor(quarter * length), Math.floor((quarter + 1) * length))
  return Math.max(...ofQuarter.map(({ resident }) => resident))
}

function postgresRow(samples: readonly Sample[]): Row {
  const half = samples.slice(samples.length >>> 1)
  const perMinute = slope(half.map(({ minute, postgres }) => [minute, postgres / 2 ** 20]))
  return {
    what: 'memory of PostgreSQL: slope of the second half; at the end (baseline: at half-time)',
    figure: `${perMinute.toFixed(2)} MiB/min; ${mebibytes(samples.at(-1)?.postgres ?? Number.NaN)}`,
    baseline: mebibytes(half[0]?.postgres ?? Number.NaN),
  }
}

function bothOf(first: number, second: number): string {
  return `${count(first)}, ${count(second)}`
}

function plotOf(samples: readonly Sample[]): LinePlot {
  const step = Math.ceil(samples.length / 300)
  const points = (key: 'resident' | 'heap' | 'postgres') =>
    samples
      .filter((_, place) => place % step === 0)
      .map((each) => [each.minute, each[key] / 2 ** 20] as const)
  return {
    kind: 'line',
    name: 'soak',
    title: 'Memory over a long run',
    x: { label: 'time', unit: 'min' },
    y: { label: 'memory', unit: 'MiB' },
    series: [
      { name: 'gateway, resident', points: points('resident') },
      { name: 'gateway, heap with garbage', points: points('heap') },
      { name: 'PostgreSQL', points: points('postgres') },
    ],
  }
}
