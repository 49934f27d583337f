// Many packets and no request for each: WebSocket and NDJSON at full speed, beside the POST and beside bare servers.
import { type Bench, portOf, startCpuMeter, startMeasuredGateway } from '../bench.ts'
import { countStored } from '../cluster.ts'
import type { WireKind } from '../load/frames.ts'
import type { StreamFigures, StreamOptions } from '../load/streams.ts'
import { loadWithPosts } from '../post-load.ts'
import { type Listening, runLoad, startBareServer } from '../processes.ts'
import { count, percent } from '../report/format.ts'
import type { BarPlot, Row, Section } from '../report/section.ts'
import { median } from '../statistics.ts'

const calls = 100
const window = 1_000
const wantedPerCpuSecond = 100_000
const wantedTimesPost = 10

/** What a load came to. */
type Loaded = {
  readonly packets: number
  readonly seconds: number
  readonly loadCpuSeconds: number
}

type Path = {
  readonly name: string
  readonly floor: 'bare-server.ts' | 'bare-websocket.ts' | 'bare-lines.ts'
  readonly load: (
    server: Listening,
    run: string,
    seconds: number,
    onStart: () => void,
  ) => Promise<Loaded>
}

const post: Path = {
  name: 'POST',
  floor: 'bare-server.ts',
  load: async (server, run, seconds, onStart) => {
    onStart()
    const figures = await loadWithPosts(server, { connections: 64, calls: 500, run, seconds })
    const { acknowledged: packets, seconds: elapsed, loadCpu } = figures
    return { packets, seconds: elapsed, loadCpuSeconds: loadCpu * elapsed }
  },
}

function stream(name: string, kind: WireKind, floor: Path['floor']): Path {
  return {
    name,
    floor,
    load: async (server, run, seconds, onStart) => {
      const options: StreamOptions = { port: portOf(server), run, kind, calls, window, seconds }
      const script = new URL('../load/streams.ts', import.meta.url)
      const figures = await runLoad<StreamFigures>(script, options, onStart)
      if (figures.sent !== figures.acknowledged)
        throw new Error(`of ${figures.sent} packets ${figures.acknowledged} were acknowledged`)
      const { acknowledged: packets, seconds: elapsed, cpuSeconds } = figures
      return { packets, seconds: elapsed, loadCpuSeconds: cpuSeconds }
    },
  }
}

const streams = [
  stream('WebSocket, binary', 'binary', 'bare-websocket.ts'),
  stream('WebSocket, JSON', 'json', 'bare-websocket.ts'),
  stream('NDJSON', 'ndjson', 'bare-lines.ts'),
]
const paths = [post, ...streams]

type Measured = {
  readonly perSecond: number
  /** For each second of processor time of the server and PostgreSQL together. */
  readonly perCpuSecond: number
  /** Cores that were in use. */
  readonly server: number
  readonly postgres: number
  readonly load: number
}

/** A path and its floor, by rounds. */
type Compared = { readonly path: Path; readonly ours: Measured[]; readonly floor: Measured[] }

/** Measures it. */
export async function measureStreams(bench: Bench): Promise<Section> {
  const rounds = bench.full ? 7 : 3
  const seconds = bench.full ? 6 : 2
  await using stack = new AsyncDisposableStack()
  const floors = new Map<string, Listening>()
  for (const { floor } of paths)
    if (!floors.has(floor))
      floors.set(floor, stack.use(await startBareServer(new URL(`../${floor}`, import.meta.url))))
  await using gateway = await startMeasuredGateway(bench)
  let acknowledged = 0

  const measure = async (path: Path, run: string, time: number) => {
    const server = floors.get(path.floor) ?? gateway
    let meter = startCpuMeter(bench, gateway)
    const ours = await path.load(gateway, run, time, () => {
      meter = startCpuMeter(bench, gateway)
    })
    const used = meter()
    let floorMeter = startCpuMeter(bench, server)
    const floor = await path.load(server, run, time, () => {
      floorMeter = startCpuMeter(bench, server)
    })
    const { postgres } = meter()
    if (path !== post) acknowledged += ours.packets
    return {
      ours: summarise(ours, { server: used.server, postgres }),
      floor: summarise(floor, { server: floorMeter().server, postgres: 0 }),
    }
  }

  for (const [place, path] of paths.entries()) await measure(path, `stream-warm-${place}`, 1)
  const all = paths.map((path): Compared => ({ path, ours: [], floor: [] }))
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`)
    for (const [place, { path, ours, floor }] of all.entries()) {
      const run = path === post ? `post-${round}` : `stream-${round}-${place}`
      const measured = await measure(path, run, seconds)
      ours.push(measured.ours)
      floor.push(measured.floor)
    }
  }
  const stored = await countStored(gateway.databaseUrl, 'stream-')
  const [posts, ...streamed] = all
  if (posts === undefined) throw new RangeError('nothing was measured')
  const lost = Math.max(0, acknowledged - stored.packets) + stored.missing
  const greatestLoad = Math.max(...streamed.flatMap(({ ours }) => ours.map(({ load }) => load)))
  return {
    title: 'Streams at full speed',
    about: `${calls} calls at once, each on a connection of its own and at full speed, 160-byte packets; \
over WebSocket with at most ${count(window)} unacknowledged packets a call. ${rounds} rounds of ${seconds} s for each \
path, POST (64 connections, 500 calls) among them, in turns with servers that store nothing: a bare \`ws\` server \
that counts messages (and parses those in JSON), a bare \`node:http\` server that splits lines and parses them. \
Figures are medians. A CPU-second is one of the gateway and PostgreSQL together; PostgreSQL's are counted until its \
baseline has ended, so that what it does afterwards is among them. That the load is not the bottleneck: its frames \
were built before the clock started, it takes at most ${percent(greatestLoad)} of a core against the gateway, and \
the same load gets the baselines' figures out of the bare servers.`,
    rows: [
      ...streamed.flatMap((compared) => rowsOf(compared, posts)),
      ...rowsOf(posts),
      {
        what: `lost, of ${count(acknowledged)} sent and acknowledged over streams`,
        figure: count(lost),
        bar: '0',
        met: lost === 0,
      },
    ],
    plots: [plotOf(all)],
  }
}

function rowsOf({ path, ours, floor }: Compared, posts?: Compared): Row[] {
  const of = (list: readonly Measured[], key: keyof Measured) =>
    median(list.map((measured) => measured[key]))
  const times = (key: keyof Measured, others: readonly Measured[]) =>
    median(ours.map((measured, round) => measured[key] / (others[round]?.[key] ?? 0)))
  const shares = (list: readonly Measured[]) =>
    (['server', 'postgres', 'load'] as const).map((key) => of(list, key).toFixed(2)).join(', ')
  const perCpuSecond = of(ours, 'perCpuSecond')
  const rows: Row[] = [
    {
      what: `**${path.name}**, durable packets/s`,
      figure: count(of(ours, 'perSecond')),
      baseline: count(of(floor, 'perSecond')),
      ratio: times('perSecond', floor),
    },
    {
      what: 'packets per CPU-second',
      figure: count(perCpuSecond),
      baseline: count(of(floor, 'perCpuSecond')),
      ratio: times('perCpuSecond', floor),
      ...(posts === undefined
        ? {}
        : {
            bar: `≥ ${count(wantedPerCpuSecond)}`,
            met: perCpuSecond >= wantedPerCpuSecond,
          }),
    },
    {
      what: 'cores used by server, PostgreSQL, load',
      figure: shares(ours),
      baseline: shares(floor),
    },
  ]
  if (posts === undefined) return rows
  const perSecond = times('perSecond', posts.ours)
  const perCpu = times('perCpuSecond', posts.ours)
  rows.push({
    what: 'times the packets/s of POST; per CPU-second',
    figure: `${perSecond.toFixed(1)}; ${perCpu.toFixed(1)}`,
    bar: `≥ ${wantedTimesPost}`,
    met: perSecond >= wantedTimesPost && perCpu >= wantedTimesPost,
  })
  return rows
}

function summarise(
  { packets, seconds, loadCpuSeconds }: Loaded,
  cpu: { readonly server: number; readonly postgres: number },
): Measured {
  return {
    perSecond: packets / seconds,
    perCpuSecond: packets / (cpu.server + cpu.postgres),
    server: cpu.server / seconds,
    postgres: cpu.postgres / seconds,
    load: loadCpuSeconds / seconds,
  }
}

function plotOf(all: readonly Compared[]): BarPlot {
  const values = (of: 'ours' | 'floor') =>
    all.map((compared) => median(compared[of].map(({ perCpuSecond }) => perCpuSecond)))
  return {
    kind: 'bar',
    name: 'streams',
    title: 'Packets per CPU-second',
    y: { label: 'packets', unit: '1 per CPU-second' },
    groups: all.map(({ path }) => path.name),
    series: [
      { name: 'gateway with PostgreSQL, durable', values: values('ours') },
      { name: 'bare server, nothing stored', values: values('floor') },
    ],
    limit: { value: wantedPerCpuSecond, label: 'the bar for streams: 100,000' },
  }
}
