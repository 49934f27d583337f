// What became of the requests to AI services in the last hour, minute by minute.
import Type, { type Static } from 'typebox'
import { statement } from '../database/statement.ts'

/** What became of the requests to a provider in ten seconds. */
export type OutcomeRow = {
  readonly provider: string
  /** The minute that it belongs to. */
  readonly at: Date
  readonly succeeded: number
  readonly failed: number
  readonly latencies: number[]
}

/** The outcomes of the last hour, oldest first. */
export const readOutcomes = statement<[names: string[]], OutcomeRow>(
  'read_outcomes',
  `SELECT provider, date_bin('1 min', since, 'epoch') AS at, succeeded, failed, latencies
   FROM provider_outcomes
   WHERE provider = ANY ($1) AND since >= date_bin('1 min', clock_timestamp(), 'epoch') - interval '59 min'
   ORDER BY since`,
)

/** The last hour, as replies show it. */
export const ProviderHistory = Type.Array(
  Type.Object({
    at: Type.String({ format: 'date-time' }),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    latency_p50_ms: Type.Union([Type.Integer(), Type.Null()]),
    latency_p95_ms: Type.Union([Type.Integer(), Type.Null()]),
  }),
  { description: 'The last hour, minute by minute, the current one last' },
)

const minuteMs = 60_000
const minutesPerHour = 60

/** The 60 minutes up to `now`, the current one last; in some nothing was asked. */
export function historyOf(
  outcomes: readonly OutcomeRow[],
  now: Date,
): Static<typeof ProviderHistory> {
  const minutes = Map.groupBy(outcomes, ({ at }) => at.getTime())
  const current = now.getTime() - (now.getTime() % minuteMs)
  return Array.from({ length: minutesPerHour }, (_, index) => {
    const at = current - (minutesPerHour - 1 - index) * minuteMs
    const rows = minutes.get(at) ?? []
    const latencies: number[] = []
    for (const row of rows)
      for (const [step, answers] of row.latencies.entries())
        latencies[step] = (latencies[step] ?? 0) + answers
    return {
      at: new Date(at).toISOString(),
      succeeded: rows.reduce((sum, { succeeded }) => sum + succeeded, 0),
      failed: rows.reduce((sum, { failed }) => sum + failed, 0),
      latency_p50_ms: percentile(latencies, 0.5),
      latency_p95_ms: percentile(latencies, 0.95),
    }
  })
}

/**
 * A percentile of a histogram, in whole milliseconds; null without answers.
 * @param counts the n-th counts answers of 2^(n-1) to 2^n ms; within a step they are taken as evenly spread
 */
export function percentile(counts: readonly number[], share: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  let before = 0
  for (const [step, count] of counts.entries()) {
    if (before + count >= all * share) {
      const low = step === 0 ? 0 : 2 ** (step - 1)
      return Math.round(low + (2 ** step - low) * ((all * share - before) / count))
    }
    before += count
  }
  return null
}
