// What an outage of the AI service came to, as a table and plots. Pure.
import { drainOf, type OutageAttempts, orderOf, type WaitingCall } from '../backlog.ts'
import { count, ms, seconds } from '../report/format.ts'
import type { LinePlot, Row } from '../report/section.ts'
import { type Histogram, mergeHistograms } from '../statistics.ts'
import type { SecondOfLag, SteadyFigures } from '../steady-load.ts'

/** Waiting calls at a time, in milliseconds since 1970. */
export type WaitingSample = { readonly at: number; readonly waiting: number }

/** An outage, and what was seen of it. */
export type Outage = {
  readonly measuredFrom: Date
  readonly away: Date
  readonly back: Date
  readonly load: SteadyFigures
  /** Packets that were sent and are not stored. */
  readonly lost: number
  readonly attempts: OutageAttempts
  readonly backlog: readonly WaitingCall[]
  readonly samples: readonly WaitingSample[]
}

/** A backlog that nobody has tried, let loose at a time. */
export type FreshBacklog = { readonly released: Date; readonly calls: readonly WaitingCall[] }

/** As far as a machine with other work to do can tell, nothing has changed. */
const greatestLagRatio = 1.25
const greatestDrainRatio = 2
const stretchMs = 10_000
const mostPoints = 150

/** The table. */
export function outageRows(outage: Outage, fresh: FreshBacklog): Row[] {
  const { measuredFrom, away, back, load, lost, attempts, backlog } = outage
  const before = within(load.seconds, measuredFrom, away)
  const meanwhile = within(load.seconds, away, back)
  const afterwards = load.seconds.filter(({ at }) => at >= back.getTime())
  const tried = backlog.filter((call) => call.tried).length
  return [
    lagRow('commit lag in the outage, p50', meanwhile, before, 0.5),
    lagRow('commit lag in the outage, p99', meanwhile, before, 0.99),
    lagRow('commit lag afterwards, p50', afterwards, before, 0.5),
    lagRow('commit lag afterwards, p99', afterwards, before, 0.99),
    {
      what: 'p99 of single stretches of 10 s in the outage, lowest to highest',
      figure: spreadOf(meanwhile),
      baseline: spreadOf(before),
    },
    noneRow(`packets lost, of ${count(load.sent)}`, lost),
    { what: 'calls that waited at the end of the outage', figure: count(backlog.length) },
    {
      what: 'of these, tried in the outage; attempts that it cost and that do not count',
      figure: `${count(tried)}; ${count(attempts.inVain)}`,
    },
    noneRow('attempts that began in the outage and were used up', attempts.usedUp),
    {
      what: 'attempts used up that were under way when the service was killed',
      figure: count(attempts.cutOff),
    },
    noneRow('calls that were FAILED at any time', attempts.failedCalls),
    ...drainRows(outage, fresh),
    ...orderRows(backlog, fresh.calls),
  ]
}

function lagRow(
  what: string,
  figure: readonly SecondOfLag[],
  baseline: readonly SecondOfLag[],
  share: number,
): Row {
  const [lag, usual] = [figure, baseline].map((each) => merged(each).percentile(share))
  const ratio = (lag ?? Number.NaN) / (usual ?? Number.NaN)
  return {
    what,
    figure: ms(lag ?? Number.NaN),
    baseline: ms(usual ?? Number.NaN),
    ratio,
    bar: `ratio ≤ ${greatestLagRatio}`,
    met: ratio <= greatestLagRatio,
  }
}

function noneRow(what: string, figure: number): Row {
  return { what, figure: count(figure), bar: '0', met: figure === 0 }
}

function drainRows({ back, backlog }: Outage, { released, calls }: FreshBacklog): Row[] {
  const drain = drainOf(backlog, back)
  const fresh = drainOf(calls, released)
  const ratio = drain.last / fresh.last
  return [
    {
      what: 'from the end of the outage until all of them are archived (baseline: a fresh backlog)',
      figure: seconds(drain.last),
      baseline: seconds(fresh.last),
      ratio,
      bar: `ratio ≤ ${greatestDrainRatio}`,
      met: ratio <= greatestDrainRatio,
    },
    {
      what: 'of it, until the first of them is archived',
      figure: seconds(drain.first),
      baseline: seconds(fresh.first),
    },
  ]
}

function orderRows(backlog: readonly WaitingCall[], fresh: readonly WaitingCall[]): Row[] {
  const [order, usual] = [orderOf(backlog), orderOf(fresh)]
  return [
    {
      what: 'pairs of calls archived in the order of their completion',
      figure: `${(100 * order.pairsInOrder).toFixed(1)} %`,
      baseline: `${(100 * usual.pairsInOrder).toFixed(1)} %`,
    },
    {
      what: 'younger calls archived before an older one, at the most',
      figure: count(order.mostOvertaken),
      baseline: count(usual.mostOvertaken),
    },
    {
      what: 'the same of those that had been tried in the outage',
      figure: Number.isNaN(order.mostOvertakenTried) ? 'none' : count(order.mostOvertakenTried),
    },
  ]
}

/** The plots. */
export function outagePlots(outage: Outage): LinePlot[] {
  const { measuredFrom, away, back, load, samples } = outage
  const minute = (at: number) => (at - measuredFrom.getTime()) / 60_000
  const x = { label: 'time', unit: 'min' }
  const span = {
    from: minute(away.getTime()),
    to: minute(back.getTime()),
    label: 'the service is away',
  }
  const measured = load.seconds.filter(({ at }) => at >= measuredFrom.getTime())
  const lasted = Math.max(...measured.map(({ at }) => at)) - measuredFrom.getTime()
  const width = Math.max(1_000, Math.ceil(lasted / mostPoints / 1_000) * 1_000)
  const stretches = [...stretchesOf(measured, width)]
  const lag = (share: number) =>
    stretches.map(
      ([place, each]) =>
        [((place + 0.5) * width) / 60_000, merged(each).percentile(share)] as const,
    )
  return [
    {
      kind: 'line',
      name: 'outage',
      title: 'Calls that wait for their analysis',
      x,
      y: { label: 'calls completed without a result', unit: '' },
      series: [
        { name: 'waiting', points: samples.map(({ at, waiting }) => [minute(at), waiting]) },
      ],
      span,
    },
    {
      kind: 'line',
      name: 'outage-lag',
      title: 'Commit lag of live packets',
      x,
      y: { label: 'commit lag', unit: 'ms' },
      series: [
        { name: `p99 of ${width / 1_000} s`, points: lag(0.99) },
        { name: 'p50', points: lag(0.5) },
      ],
      span,
    },
  ]
}

function within(all: readonly SecondOfLag[], from: Date, to: Date): readonly SecondOfLag[] {
  return all.filter(({ at }) => at >= from.getTime() && at + 1_000 <= to.getTime())
}

function merged(all: readonly SecondOfLag[]): Histogram {
  return mergeHistograms(all.map(({ lag }) => lag))
}

/** Stretches of so many milliseconds since the earliest, by their number, in their order. */
function stretchesOf(
  all: readonly SecondOfLag[],
  width: number,
): ReadonlyMap<number, readonly SecondOfLag[]> {
  const first = Math.min(...all.map(({ at }) => at))
  const sorted = all.toSorted((a, b) => a.at - b.at)
  return Map.groupBy(sorted, ({ at }) => Math.floor((at - first) / width))
}

function spreadOf(all: readonly SecondOfLag[]): string {
  const p99 = [...stretchesOf(all, stretchMs).values()].map((each) => merged(each).percentile(0.99))
  return `${ms(Math.min(...p99))} to ${ms(Math.max(...p99))}`
}
