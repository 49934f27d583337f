// More load than the gateway can take, and a database that stands still: what is shed, how soon, and how soon all
// is as before.
import { type Bench, startMeasuredGateway } from '../bench.ts'
import { countStored } from '../cluster.ts'
import { type FaultFigures, type Loaded, loadGateway, loadThroughFault } from '../overload-load.ts'
import { count, mebibytes, ms, percent, seconds } from '../report/format.ts'
import type { LinePlot, Row, Section } from '../report/section.ts'
import { median, medianBy, mergeHistograms } from '../statistics.ts'

const peakLoad = { connections: 256, calls: 512 }
const overload = 3
const overloadConnections = 1_000
const wantedGoodput = 0.9
const wantedShedMs = 50
const wantedRecoverySeconds = 5
const faultSeconds = 10
/** The fault comes under half of the peak: what is shed then is shed for the fault's sake. */
const faultShare = 0.5

type Round = { readonly peak: Loaded; readonly over: Loaded }

/** Measures it. */
export async function measureOverload(bench: Bench): Promise<Section> {
  const rounds = bench.full ? 5 : 3
  const time = bench.full ? 10 : 3
  await using gateway = await startMeasuredGateway(bench)
  await loadGateway(bench, gateway, { ...peakLoad, run: 'warm', seconds: 2 })
  const measured: Round[] = []
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`)
    const peak = await loadGateway(bench, gateway, {
      ...peakLoad,
      run: `peak-${round}`,
      seconds: time,
    })
    const over = await loadGateway(bench, gateway, {
      connections: overloadConnections,
      calls: overloadConnections,
      run: `over-${round}`,
      seconds: time,
      rate: overload * perSecond(peak),
    })
    measured.push({ peak, over })
  }
  bench.progress(`the database stands still for ${faultSeconds} s`)
  const peak = median(measured.map((round) => perSecond(round.peak)))
  const fault = await loadThroughFault(
    bench,
    gateway,
    {
      connections: overloadConnections,
      calls: overloadConnections,
      run: 'fault',
      seconds: faultSeconds + 13,
      rate: faultShare * peak,
    },
    faultSeconds,
  )
  let lost = await lossOf(gateway.databaseUrl, 'fault-', fault.accepted)
  for (const [place, { over }] of measured.entries())
    lost += await lossOf(gateway.databaseUrl, `over-${place + 1}-`, over.accepted)
  return {
    title: 'Overload, and a database that stands still',
    about: `The peak is a closed loop of ${peakLoad.connections} connections. Then an open loop offers \
${overload} times as many requests a second over ${count(overloadConnections)} connections, whatever the answers; a \
request that is due when all connections wait for their answers is not sent. Figures are of the round with the median \
goodput, of ${rounds} of ${time} s. Both loads are by \`load/posts.ts\`, whose processor time is shown: the gateway does \
not have what the load takes of these two cores, so goodput per CPU-second of gateway and PostgreSQL stands beside \
it. Then, under an open loop of ${percent(faultShare)} of the peak, every process of PostgreSQL is stopped (SIGSTOP) for \
${faultSeconds} s. Recovered is when half a second begins in which 90 % of the packets are accepted that were before.`,
    rows: [...overloadRows(measured), ...faultRows(fault), lossRow(lost)],
    plots: [answersPlot(fault), memoryPlot(fault)],
  }
}

function overloadRows(measured: readonly Round[]): Row[] {
  const goodput = ({ peak, over }: Round) => perSecond(over) / perSecond(peak)
  const middle = medianBy(measured, goodput)
  const { peak, over } = middle
  const offered = over.accepted + over.shed + over.other + over.unsent
  const shedMs = mergeHistograms([over.shedMs])
  return [
    {
      what: `goodput at ${overload} × the peak (baseline: the peak), packets/s`,
      figure: count(perSecond(over)),
      baseline: count(perSecond(peak)),
      ratio: goodput(middle),
      bar: `ratio ≥ ${wantedGoodput}`,
      met: goodput(middle) >= wantedGoodput,
    },
    {
      what: 'packets per CPU-second',
      figure: count(perCpuSecond(over)),
      baseline: count(perCpuSecond(peak)),
      ratio: perCpuSecond(over) / perCpuSecond(peak),
    },
    {
      what: 'cores used by gateway, PostgreSQL, load',
      figure: shares(over),
      baseline: shares(peak),
    },
    {
      what: 'offered: accepted, 503, other answers, not sent',
      figure: [over.accepted, over.shed, over.other, over.unsent]
        .map((part) => percent(part / offered))
        .join(', '),
    },
    {
      what: 'latency of 202, p50, p99',
      figure: latencies(over.acceptedMs),
      baseline: latencies(peak.acceptedMs),
    },
    {
      what: 'latency of 503, p50, p99',
      figure: shedMs.total === 0 ? 'there were none' : latencies(over.shedMs),
      ...(shedMs.total === 0
        ? {}
        : { bar: `p99 ≤ ${wantedShedMs} ms`, met: shedMs.percentile(0.99) <= wantedShedMs }),
    },
  ]
}

function faultRows(fault: FaultFigures): Row[] {
  const shed = mergeHistograms([fault.shedMs])
  const before = fault.memory.filter(([second]) => second < 0).map(([, bytes]) => bytes)
  const during = fault.memory
    .filter(([second]) => second >= 0 && second < fault.faultSeconds)
    .map(([, bytes]) => bytes)
  const p99 = shed.percentile(0.99)
  return [
    {
      what: `database stopped for ${seconds(fault.faultSeconds)}: 503s, other answers, not sent`,
      figure: [fault.shed, fault.other, fault.unsent].map(count).join(', '),
    },
    {
      what: 'latency of 503, p50, p99',
      figure: latencies(fault.shedMs),
      bar: `p99 ≤ ${wantedShedMs} ms`,
      met: p99 <= wantedShedMs,
    },
    {
      what: 'resident memory, at the most while it stood (baseline: before)',
      figure: mebibytes(Math.max(...during)),
      baseline: mebibytes(Math.max(...before)),
      ratio: Math.max(...during) / Math.max(...before),
    },
    {
      what: 'recovered after',
      figure: Number.isFinite(fault.recoverySeconds)
        ? seconds(fault.recoverySeconds)
        : 'not at all',
      bar: `≤ ${wantedRecoverySeconds} s`,
      met: fault.recoverySeconds <= wantedRecoverySeconds,
    },
  ]
}

function lossRow(lost: number): Row {
  return {
    what: 'acknowledged under overload and fault, and not stored',
    figure: count(lost),
    bar: '0',
    met: lost === 0,
  }
}

/** Each acknowledgement was for another packet. */
async function lossOf(url: string, prefix: string, acknowledged: number): Promise<number> {
  const { packets } = await countStored(url, prefix)
  return Math.max(0, acknowledged - packets)
}

function perSecond({ accepted, seconds: time }: Loaded): number {
  return accepted / time
}

function perCpuSecond({ accepted, cpu }: Loaded): number {
  return accepted / (cpu.server + cpu.postgres)
}

function shares({ cpu, cpuSeconds, seconds: time }: Loaded): string {
  return [cpu.server, cpu.postgres, cpuSeconds].map((used) => (used / time).toFixed(2)).join(', ')
}

function latencies(counts: Loaded['shedMs']): string {
  const histogram = mergeHistograms([counts])
  return [0.5, 0.99].map((share) => ms(histogram.percentile(share))).join(', ')
}

function spanOf({ faultSeconds: to }: FaultFigures): NonNullable<LinePlot['span']> {
  return { from: 0, to, label: 'the database stands still' }
}

function answersPlot(fault: FaultFigures): LinePlot {
  return {
    kind: 'line',
    name: 'fault',
    title: 'Answers while the database stands still',
    x: { label: 'time since it stopped', unit: 's' },
    y: { label: 'answers', unit: '1/s' },
    series: [
      { name: '202, stored', points: fault.acceptedOverTime },
      { name: '503, to be sent again', points: fault.shedOverTime },
    ],
    span: spanOf(fault),
  }
}

function memoryPlot(fault: FaultFigures): LinePlot {
  return {
    kind: 'line',
    name: 'fault-memory',
    title: 'Resident memory of the gateway meanwhile',
    x: { label: 'time since it stopped', unit: 's' },
    y: { label: 'memory', unit: 'MiB' },
    series: [
      { name: 'gateway', points: fault.memory.map(([second, bytes]) => [second, bytes / 2 ** 20]) },
    ],
    span: spanOf(fault),
  }
}
