// WORKERS=2 beside WORKERS=1, on two cores that the workers share with PostgreSQL and the load.
import { availableParallelism } from 'node:os'
import {
  type Bench,
  type MeasuredGateway,
  portOf,
  startCpuMeter,
  startMeasuredGateway,
} from '../bench.ts'
import { countStored } from '../cluster.ts'
import type { StreamFigures, StreamOptions } from '../load/streams.ts'
import { loadProgram, loadWithPosts, runOwnLoad } from '../post-load.ts'
import { pidsOf } from '../proc.ts'
import { runLoad } from '../processes.ts'
import { count } from '../report/format.ts'
import type { Section } from '../report/section.ts'
import { median } from '../statistics.ts'

type Path = {
  readonly name: string
  /** Loads a gateway and returns how many packets were acknowledged, in how many seconds. */
  readonly load: (
    gateway: MeasuredGateway,
    run: string,
    seconds: number,
  ) => Promise<{ readonly packets: number; readonly seconds: number }>
}

const paths: readonly Path[] = [
  {
    name: 'POST, a call stays on its connection',
    load: async (gateway, run, seconds) => {
      const figures = await runOwnLoad(gateway, { connections: 64, calls: 512, run, seconds })
      return { packets: figures.acknowledged, seconds: figures.seconds }
    },
  },
  {
    name: `POST, any packet on any connection (${loadProgram})`,
    load: async (gateway, run, seconds) => {
      const figures = await loadWithPosts(gateway, { connections: 64, calls: 500, run, seconds })
      return { packets: figures.acknowledged, seconds: figures.seconds }
    },
  },
  {
    name: 'WebSocket, binary, 100 calls',
    load: async (gateway, run, seconds) => {
      const figures = await runLoad<StreamFigures>(new URL('../load/streams.ts', import.meta.url), {
        port: portOf(gateway),
        run,
        kind: 'binary',
        calls: 100,
        window: 1_000,
        seconds,
      } satisfies StreamOptions)
      return { packets: figures.acknowledged, seconds: figures.seconds }
    },
  },
]

type Measured = {
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly server: number
  readonly postgres: number
}

/** Measures it. */
export async function measureWorkers(bench: Bench): Promise<Section> {
  const rounds = bench.full ? 5 : 3
  const time = bench.full ? 6 : 2
  await using one = await startMeasuredGateway(bench, { WORKERS: '1' })
  await using two = await startMeasuredGateway(bench, { WORKERS: '2' })
  if (pidsOf(two.pid).length <= pidsOf(one.pid).length)
    throw new Error('WORKERS=2 started no second worker: does this gateway know the setting?')
  let acknowledged = 0

  const measure = async (gateway: MeasuredGateway, path: Path, run: string, seconds = time) => {
    const stop = startCpuMeter(bench, gateway)
    const figures = await path.load(gateway, run, seconds)
    const cpu = stop()
    acknowledged += figures.packets
    return {
      perSecond: figures.packets / figures.seconds,
      perCpuSecond: figures.packets / (cpu.server + cpu.postgres),
      server: cpu.server / figures.seconds,
      postgres: cpu.postgres / figures.seconds,
    }
  }
  const all = paths.map((path) => ({ path, one: [] as Measured[], two: [] as Measured[] }))
  for (const [place, { path }] of all.entries())
    for (const gateway of [one, two]) await measure(gateway, path, `warm-${place}`, 1)
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`)
    for (const [place, entry] of all.entries()) {
      entry.one.push(await measure(one, entry.path, `r${round}-${place}`))
      entry.two.push(await measure(two, entry.path, `r${round}-${place}`))
    }
  }
  let stored = 0
  for (const { databaseUrl } of [one, two]) stored += (await countStored(databaseUrl, '')).packets
  const lost = Math.max(0, acknowledged - stored)
  return {
    title: 'Two workers beside one',
    about: `The same load on a gateway with WORKERS=2 (*figure*) and on one with WORKERS=1 (*baseline*), \
${rounds} rounds of ${time} s in turns; medians. This machine has ${availableParallelism()} cores, which the workers \
share with PostgreSQL and the load, so this shows what two workers cost more than what they bring: their gain needs \
cores that are idle with one.`,
    rows: [
      ...all.flatMap(({ path, one: ones, two: twos }) => {
        const of = (list: readonly Measured[], key: keyof Measured) =>
          median(list.map((measured) => measured[key]))
        const shares = (list: readonly Measured[]) =>
          `${of(list, 'server').toFixed(2)}, ${of(list, 'postgres').toFixed(2)}`
        const ratio = (key: keyof Measured) =>
          median(twos.map((measured, round) => measured[key] / (ones[round]?.[key] ?? 0)))
        return [
          {
            what: `**${path.name}**, packets/s`,
            figure: count(of(twos, 'perSecond')),
            baseline: count(of(ones, 'perSecond')),
            ratio: ratio('perSecond'),
          },
          {
            what: 'packets per CPU-second of gateway and PostgreSQL',
            figure: count(of(twos, 'perCpuSecond')),
            baseline: count(of(ones, 'perCpuSecond')),
            ratio: ratio('perCpuSecond'),
          },
          {
            what: 'cores used by gateway, PostgreSQL',
            figure: shares(twos),
            baseline: shares(ones),
          },
        ]
      }),
      { what: 'acknowledged and not stored', figure: count(lost), bar: '0', met: lost === 0 },
    ],
    plots: [
      {
        kind: 'bar',
        name: 'workers',
        title: 'Durable packets with one and two workers',
        y: { label: 'packets', unit: '1/s' },
        groups: ['POST', 'POST, mixed', 'WebSocket'],
        series: [
          {
            name: 'WORKERS=1',
            values: all.map((entry) => median(entry.one.map((m) => m.perSecond))),
          },
          {
            name: 'WORKERS=2',
            values: all.map((entry) => median(entry.two.map((m) => m.perSecond))),
          },
        ],
      },
    ],
  }
}
