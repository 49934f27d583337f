// From the completion of a call until its analysis starts, by the database's clock, with calls that complete at
// 1,000 a minute and no grace.
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Listening } from './processes.ts'

const completions = 300
const perMinute = 1_000

/** Waits in milliseconds. */
export type AnalysisStartFigures = {
  readonly calls: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Completes calls at a steady rate and reads from the attempts when each one began. */
export async function measureAnalysisStart(
  gateway: Listening,
  databaseUrl: string,
): Promise<AnalysisStartFigures> {
  const began = performance.now()
  const ended: Promise<void>[] = []
  for (let call = 0; call < completions; call += 1) {
    await pause(Math.max(0, began + (call * 60_000) / perMinute - performance.now()))
    ended.push(playCall(gateway.url, `start-${call}`))
  }
  await Promise.all(ended)
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    while (true) {
      const { rows } = await client.query<{ calls: string; p50: number; p99: number }>(
        `SELECT count(*) AS calls,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS p50,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY wait) AS p99
         FROM (SELECT extract(epoch FROM started_at - completed_at)::float8 * 1000 AS wait
               FROM attempts JOIN calls ON calls.id = call
               WHERE number = 1 AND call_id LIKE 'start-%') AS waits`,
      )
      const [row] = rows
      if (row !== undefined && Number(row.calls) === completions)
        return { calls: completions, p50Ms: row.p50, p99Ms: row.p99 }
      await pause(100)
    }
  } finally {
    await client.end()
  }
}

async function playCall(url: string, callId: string): Promise<void> {
  await fetch(`${url}/v1/call/stream/${callId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sequence: 1, data: 'audio_chunk_1', timestamp: 1 }),
  })
  await fetch(`${url}/v1/call/complete/${callId}`, { method: 'POST' })
}
