// Live calls over Asterisk AudioSocket, database included, beside a bare TCP server that only counts frames.
import { createServer } from 'node:net'
import {
  type Bench,
  type CpuSeconds,
  portOf,
  startCpuMeter,
  startMeasuredGateway,
} from '../bench.ts'
import { query } from '../cluster.ts'
import type { AudioSocketFigures, AudioSocketOptions } from '../load/audiosocket.ts'
import { runLoads, startBareServer } from '../processes.ts'
import { count, ms } from '../report/format.ts'
import type { Section } from '../report/section.ts'
import { mergeHistograms } from '../statistics.ts'

const calls = 1_000
const loadProcesses = 2
const mostRatio = 3

type Run = {
  readonly sent: number
  readonly server: number
  readonly postgres: number
  readonly load: number
  readonly lateMs: number
  readonly callIds: readonly string[]
}

/** Measures it. */
export async function measureAudioSocket(bench: Bench): Promise<Section> {
  const seconds = bench.full ? 60 : 15
  bench.progress(`${calls} calls for ${seconds} s on a bare TCP server`)
  const bare = await (async () => {
    await using server = await startBareServer(new URL('../bare-frames.ts', import.meta.url))
    return await play(portOf(server), seconds, () => startCpuMeter(bench, server))
  })()
  bench.progress(`${calls} calls for ${seconds} s on the gateway`)
  const port = await freePort()
  await using gateway = await startMeasuredGateway(bench, { AUDIOSOCKET_PORT: `${port}` })
  const ours = await play(port, seconds, () => startCpuMeter(bench, gateway))
  const { kept, lostMs } = await account(gateway.databaseUrl, ours.callIds)
  const ratio = (ours.server + ours.postgres) / bare.server
  const shares = ({ server, postgres, load }: Run) =>
    [server, postgres, load].map((each) => (each / seconds).toFixed(2)).join(', ')
  return {
    title: 'AudioSocket',
    about: `${count(calls)} connections, each with a frame of 320 bytes (20 ms of 8 kHz linear PCM) every 20 ms, from \
${loadProcesses} load processes with a steady clock, for ${seconds} s. The baseline is a bare TCP server that finds the \
frames, counts them and stores nothing. The bar holds the processor time of the gateway and of PostgreSQL together \
against that. Audio lost is what the gateway's own account says (gaps by clock included).`,
    rows: [
      {
        what: `lost, of ${count(ours.sent)} frames; audio lost by the account`,
        figure: `${count(ours.sent - kept)}; ${ms(lostMs)}`,
        bar: '0 frames',
        met: ours.sent === kept,
      },
      {
        what: 'processor time of gateway and PostgreSQL',
        figure: `${(ours.server + ours.postgres).toFixed(1)} s`,
        baseline: `${bare.server.toFixed(1)} s`,
        ratio,
        bar: `≤ ${mostRatio}`,
        met: ratio <= mostRatio,
      },
      {
        what: 'of it the gateway alone',
        figure: `${ours.server.toFixed(1)} s`,
        baseline: `${bare.server.toFixed(1)} s`,
        ratio: ours.server / bare.server,
      },
      {
        what: 'frames were late, p99',
        figure: ms(ours.lateMs),
        baseline: ms(bare.lateMs),
      },
      {
        what: 'cores used by server, PostgreSQL, load',
        figure: shares(ours),
        baseline: shares(bare),
      },
    ],
    plots: [],
  }
}

async function play(
  port: number,
  seconds: number,
  startMeter: () => () => CpuSeconds,
): Promise<Run> {
  let meter = startMeter()
  const options = Array.from(
    { length: loadProcesses },
    (): AudioSocketOptions => ({ port, calls: calls / loadProcesses, seconds }),
  )
  const script = new URL('../load/audiosocket.ts', import.meta.url)
  const all = await runLoads<AudioSocketFigures>(script, options, () => {
    meter = startMeter()
  })
  const cpu = meter()
  return {
    sent: all.reduce((sum, { sent }) => sum + sent, 0),
    server: cpu.server,
    postgres: cpu.postgres,
    load: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    lateMs: mergeHistograms(all.map(({ lateness }) => lateness)).percentile(0.99),
    callIds: all.flatMap(({ callIds }) => callIds),
  }
}

/** Waits until all calls are complete; what is stored of them. */
async function account(
  url: string,
  callIds: readonly string[],
): Promise<{ readonly kept: number; readonly lostMs: number }> {
  for (;;) {
    const [row] = await query<{ open: string; kept: string; lost: number }>(
      url,
      `SELECT count(*) FILTER (WHERE status = 'IN_PROGRESS') AS open,
         (SELECT coalesce(sum(cardinality(timestamps)), 0) FROM segments) AS kept,
         (SELECT coalesce(sum(milliseconds), 0) FROM silences) AS lost
       FROM calls WHERE call_id = ANY ($1)`,
      [callIds],
    )
    if (row?.open === '0') return { kept: Number(row.kept), lostMs: row.lost }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('there is no port')
  return address.port
}
