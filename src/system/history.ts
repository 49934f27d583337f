// The samples of all processes as one course, a point for every ten seconds. Pure.
import { addHistograms, percentileOf } from './histogram.ts'
import type { Sample } from './statements.ts'

/** What all gateways did together in ten seconds. */
export type HistoryPoint = {
  readonly at: string
  readonly packets_per_second: number
  readonly commit_ms_p50: number
  readonly commit_ms_p99: number
  readonly live_calls: number
  readonly analyses_running: number
  readonly waiting: number
  readonly lost_packets: number
  readonly rss_bytes: number
}

/** What one process did, as its row shows it. */
export type OwnFigures = {
  readonly live_calls: number
  readonly sockets: number
  readonly packets_per_second: number
  readonly commit_ms_p50: number
  readonly commit_ms_p99: number
  readonly rss_bytes: number
  readonly event_loop_ms_p99: number
}

/** The course of samples that come in the order of time. What concerns all gateways is counted once. */
export function historyOf(samples: readonly Sample[]): HistoryPoint[] {
  const stretches = Map.groupBy(samples, ({ at }) => at.getTime())
  return [...stretches.values()].map((all) => {
    const sum = (figure: (sample: Sample) => number) =>
      all.reduce((total, sample) => total + figure(sample), 0)
    const most = (figure: (sample: Sample) => number) => Math.max(...all.map(figure))
    const commits = addHistograms(all.map(({ commit_times }) => commit_times))
    return {
      at: all[0]?.at.toISOString() ?? '',
      packets_per_second: rounded(sum(({ packets, seconds }) => packets / seconds)),
      commit_ms_p50: percentileOf(commits, 0.5),
      commit_ms_p99: percentileOf(commits, 0.99),
      live_calls: most(({ live_calls }) => live_calls),
      analyses_running: most(({ analyses_running }) => analyses_running),
      waiting: most(({ waiting }) => waiting),
      lost_packets: Math.max(
        sum(({ lost_packets }) => lost_packets),
        0,
      ),
      rss_bytes: sum(({ rss_bytes }) => rss_bytes),
    }
  })
}

const nothing: OwnFigures = {
  live_calls: 0,
  sockets: 0,
  packets_per_second: 0,
  commit_ms_p50: 0,
  commit_ms_p99: 0,
  rss_bytes: 0,
  event_loop_ms_p99: 0,
}

/** The latest figures of a process, of samples that come in the order of time. */
export function figuresOf(gateway: string, samples: readonly Sample[]): OwnFigures {
  const sample = samples.findLast((each) => each.gateway === gateway)
  if (sample === undefined) return nothing
  return {
    live_calls: sample.own_calls,
    sockets: sample.sockets,
    packets_per_second: rounded(sample.packets / sample.seconds),
    commit_ms_p50: percentileOf(sample.commit_times, 0.5),
    commit_ms_p99: percentileOf(sample.commit_times, 0.99),
    rss_bytes: sample.rss_bytes,
    event_loop_ms_p99: sample.event_loop_ms_p99,
  }
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 10) / 10
}
