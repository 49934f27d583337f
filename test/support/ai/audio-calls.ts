// Calls of a second of telephone audio, by packets over HTTP, for gateways that ask AI services.
import type { Pool } from '../../../src/database/pool.ts'
import { startFleet } from '../fleet.ts'
import type { Sender } from '../sender.ts'
import { until } from '../until.ts'

/** A tone: no service of the tests listens to what it is. */
const second = Buffer.from(
  Uint8Array.from({ length: 8_000 }, (_, at) => 0x40 + Math.round(60 * Math.sin(at / 3))),
).toString('base64')

/** Settings of a gateway that asks a server that speaks OpenAI's API, with short waits. */
export function asksOpenAi(url: string): Record<string, string> {
  return {
    AI_PROVIDERS: 'openai',
    OPENAI_BASE_URL: url,
    OPENAI_CONCURRENCY: '16',
    ANALYSIS_TIMEOUT_SECONDS: '1',
  }
}

/** Settings of a gateway that asks a server that speaks Deepgram's API, with short waits. */
export function asksDeepgram(url: string, apiKey: string): Record<string, string> {
  return {
    AI_PROVIDERS: 'deepgram',
    DEEPGRAM_BASE_URL: url.replace(/\/v1$/, ''),
    DEEPGRAM_API_KEY: apiKey,
    DEEPGRAM_CONCURRENCY: '16',
    ANALYSIS_TIMEOUT_SECONDS: '1',
  }
}

/**
 * Two gateways that ask a server that speaks OpenAI's API, with patience: a request that a busy machine keeps for a
 * second is no failed attempt.
 */
export function twoGateways(
  databaseUrl: string,
  url: string,
  change: Readonly<Record<string, string>> = {},
) {
  return startFleet(databaseUrl, 2, {
    ...asksOpenAi(url),
    ANALYSIS_TIMEOUT_SECONDS: '60',
    ...change,
  })
}

/** Plays calls and hangs them up, a few at once. */
export async function playCalls(pool: Pool, pbx: Sender, names: readonly string[]): Promise<void> {
  const left = [...names]
  const line = async () => {
    for (let callId = left.shift(); callId !== undefined; callId = left.shift()) {
      await pbx.deliver({ callId, sequence: 1, data: second })
      await pool.query(
        `UPDATE tracks SET media_format = '{"encoding": "PCMU", "rate": 8000, "clock": "sender"}'
         FROM calls WHERE calls.id = call AND call_id = $1`,
        [callId],
      )
      await pbx.hangUp(callId)
    }
  }
  await Promise.all(Array.from({ length: 10 }, line))
}

/** Names of calls. */
export function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`)
}

/** Waits until these calls are archived. */
export async function untilAnalysed(
  pool: Pool,
  names: readonly string[],
  withinMs = 60_000,
): Promise<void> {
  await until(
    `${names[0]} and its like are archived`,
    async () => {
      const { rows } = await pool.query<{ archived: number }>(
        `SELECT count(*) AS archived FROM calls WHERE call_id = ANY ($1) AND status = 'ARCHIVED'`,
        [names],
      )
      return rows[0]?.archived === names.length
    },
    withinMs,
  )
}

/** Calls that were FAILED at any time, and failed attempts that were used up. */
export async function failuresOf(pool: Pool, names: readonly string[]) {
  const { rows } = await pool.query<{ failed: number; used: number; attempts: number }>(
    `SELECT count(*) FILTER (WHERE redrives > 0 OR status = 'FAILED') AS failed,
       (SELECT count(*) FROM attempts JOIN calls AS of ON of.id = call
        WHERE of.call_id = ANY ($1) AND outcome IN ('retryable', 'permanent')) AS used,
       sum(attempts) AS attempts
     FROM calls WHERE call_id = ANY ($1)`,
    [names],
  )
  return rows[0]
}
