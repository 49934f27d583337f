// From the completion of a call until its analysis starts, at 1,000 calls a minute; and how many analyses are in
// flight at once when every one takes 8 to 12 s. By the database's clock, from the attempts themselves.
import { setTimeout as pause } from 'node:timers/promises'
import { type Bench, type MeasuredGateway, startMeasuredGateway } from '../bench.ts'
import { query } from '../cluster.ts'
import { count, ms, seconds } from '../report/format.ts'
import type { LinePlot, Section } from '../report/section.ts'

const perMinute = 1_000
const wantedStartMs = 100
const manyCalls = 3_000
const concurrency = 2_500
const wantedInFlight = 2_000
const latency = { min: 8, max: 12 }
const senders = 32
const retryMs = 20

type Start = { readonly calls: number; readonly p50: number; readonly p99: number }
type Flight = {
  readonly peak: number
  readonly archived: number
  readonly seconds: number
  readonly overTime: readonly (readonly [second: number, inFlight: number])[]
}

/** Measures it. */
export async function measureAnalysis(bench: Bench): Promise<Section> {
  const start = await measureStartOfAnalysis(bench, bench.full ? 1_000 : 250)
  const flight = await measureFlight(bench)
  return {
    title: 'From the end of a call to its analysis',
    about: `First ${count(start.calls)} calls that complete at ${count(perMinute)} a minute, without a grace, on \
a gateway as it comes: from the completion until the first attempt starts. Then ${count(manyCalls)} calls \
completed as fast as they can be, on a gateway with ANALYSIS_CONCURRENCY=${concurrency} whose mock AI takes \
${latency.min} to ${latency.max} s: attempts that had started and not ended, all by the times in the table of \
attempts.`,
    rows: [
      { what: 'completion → analysis starts, p50', figure: ms(start.p50) },
      {
        what: 'completion → analysis starts, p99',
        figure: ms(start.p99),
        bar: `≤ ${wantedStartMs} ms`,
        met: start.p99 <= wantedStartMs,
      },
      {
        what: 'analyses in flight at once, at the most',
        figure: count(flight.peak),
        bar: `≥ ${count(wantedInFlight)}`,
        met: flight.peak >= wantedInFlight,
      },
      {
        what: `of ${count(manyCalls)} calls, archived with a result at the first attempt`,
        figure: count(flight.archived),
        bar: 'all',
        met: flight.archived === manyCalls,
      },
      { what: 'from the first completion until all are archived', figure: seconds(flight.seconds) },
    ],
    plots: [plotOf(flight)],
  }
}

async function measureStartOfAnalysis(bench: Bench, calls: number): Promise<Start> {
  bench.progress(`${calls} calls at ${perMinute} a minute`)
  await using gateway = await startMeasuredGateway(bench, { COMPLETION_GRACE_SECONDS: '0' })
  // The first calls would pay for connections and plans.
  for (let call = 0; call < 20; call += 1) await playCall(gateway, `warm-${call}`)
  const began = performance.now()
  const ended: Promise<void>[] = []
  for (let call = 0; call < calls; call += 1) {
    await pause(Math.max(0, began + (call * 60_000) / perMinute - performance.now()))
    ended.push(playCall(gateway, `start-${call}`))
  }
  await Promise.all(ended)
  return await untilThere('analyses have not started', 60, async () => {
    const [row] = await query<{ calls: string; p50: number; p99: number }>(
      gateway.databaseUrl,
      `SELECT count(*) AS calls,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS p50,
         percentile_cont(0.99) WITHIN GROUP (ORDER BY wait) AS p99
       FROM (SELECT extract(epoch FROM started_at - completed_at)::float8 * 1000 AS wait
             FROM attempts JOIN calls ON calls.id = call
             WHERE number = 1 AND call_id LIKE 'start-%') AS waits`,
    )
    return Number(row?.calls) === calls
      ? { ...row, p50: row?.p50 ?? 0, p99: row?.p99 ?? 0, calls }
      : undefined
  })
}

async function measureFlight(bench: Bench): Promise<Flight> {
  bench.progress(`${manyCalls} calls, analyses of ${latency.min} to ${latency.max} s`)
  await using gateway = await startMeasuredGateway(bench, {
    COMPLETION_GRACE_SECONDS: '0',
    ANALYSIS_CONCURRENCY: String(concurrency),
    AI_SERVICE_MIN_LATENCY: String(latency.min),
    AI_SERVICE_MAX_LATENCY: String(latency.max),
  })
  const url = gateway.databaseUrl
  let next = 0
  await Promise.all(
    Array.from({ length: senders }, async () => {
      for (; next < manyCalls; ) {
        const call = next
        next += 1
        await playCall(gateway, `flight-${call}`)
      }
    }),
  )
  await untilThere('calls are not archived', 180, async () => {
    const [row] = await query<{ left: string }>(
      url,
      "SELECT count(*) AS left FROM calls WHERE status <> 'ARCHIVED'",
    )
    return row?.left === '0' ? true : undefined
  })
  const [sum] = await query<{ archived: string; seconds: number }>(
    url,
    `SELECT count(*) FILTER (WHERE ai_processed_at IS NOT NULL AND attempts = 1) AS archived,
       extract(epoch FROM max(updated_at) - min(completed_at))::float8 AS seconds FROM calls`,
  )
  const changes = await query<{ second: number; in_flight: string }>(
    url,
    `SELECT extract(epoch FROM at - min(at) OVER ())::float8 AS second,
       sum(change) OVER (ORDER BY at, change) AS in_flight
     FROM (SELECT started_at AS at, 1 AS change FROM attempts
           UNION ALL SELECT ended_at, -1 FROM attempts) AS changes ORDER BY at, change`,
  )
  const overTime = changes.map(({ second, in_flight }) => [second, Number(in_flight)] as const)
  return {
    peak: overTime.reduce((peak, [, inFlight]) => Math.max(peak, inFlight), 0),
    archived: Number(sum?.archived),
    seconds: sum?.seconds ?? Number.NaN,
    overTime: overTime.filter((_, place) => place % 20 === 0),
  }
}

async function playCall({ url }: MeasuredGateway, callId: string): Promise<void> {
  const body = JSON.stringify({ sequence: 1, data: 'audio_chunk_1', timestamp: 1 })
  await post(`${url}/v1/call/stream/${callId}`, body, 202)
  await post(`${url}/v1/call/complete/${callId}`, '', 200)
}

/** Posts, and again when the gateway sheds it. */
async function post(url: string, body: string, wanted: number): Promise<void> {
  for (;;) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url, { method: 'POST', headers, body })
    const text = await answer.text()
    if (answer.status === wanted) return
    if (answer.status !== 503) throw new Error(`${url}: ${answer.status} ${text}`)
    await pause(retryMs)
  }
}

async function untilThere<T>(
  otherwise: string,
  patienceSeconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceSeconds * 1_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`after ${patienceSeconds} s ${otherwise}`)
    await pause(250)
  }
}

function plotOf({ overTime }: Flight): LinePlot {
  return {
    kind: 'line',
    name: 'analysis',
    title: `Analyses in flight: ${count(manyCalls)} calls completed, ${latency.min} to ${latency.max} s each`,
    x: { label: 'time since the first started', unit: 's' },
    y: { label: 'analyses in flight', unit: '' },
    series: [{ name: 'in flight', points: overTime }],
    limit: { value: wantedInFlight, label: `the bar: ${count(wantedInFlight)}` },
  }
}
