// The health of one AI service, driven by statements of the product alone; waits end when the test says so.
import assert from 'node:assert/strict'
import {
  admitRequest,
  declareProviders,
  type ProviderState,
  type RequestOutcome,
  reportRequest,
} from '../../src/analysis/health-statements.ts'
import type { Pool } from '../../src/database/pool.ts'

/** What a report may say beside the outcome. */
export type Report = { readonly error?: string; readonly retryAfter?: number }

/** A row of `providers`. */
export type ProviderRow = {
  readonly state: ProviderState
  readonly reason: string | null
  readonly allowed: number
  /** Seconds until it is asked again; null when there is no such time. */
  readonly wait: number | null
}

/** The service. */
export type ServiceHealth = {
  /** Asks for leave; the request's id, or null. */
  readonly admit: (owner?: string) => Promise<number | null>
  readonly report: (request: number, outcome: RequestOutcome, more?: Report) => Promise<void>
  /** A request from leave to report. */
  readonly ask: (outcome: RequestOutcome, more?: Report) => Promise<void>
  readonly read: () => Promise<ProviderRow>
  /** Ends the wait of a service that is not asked. */
  readonly endWait: () => Promise<void>
  /** Fails it until it is not asked any more. */
  readonly open: () => Promise<void>
}

/** Declares a service. */
export async function declareService(
  pool: Pool,
  ceiling: number,
  name = 'service',
): Promise<ServiceHealth> {
  await declareProviders(pool, [name], [ceiling])
  const admit = async (owner = 'one') =>
    (await admitRequest(pool, name, 1, 'transcript', owner, 30))[0]?.request ?? null
  const report: ServiceHealth['report'] = async (request, outcome, { error, retryAfter } = {}) => {
    await reportRequest(
      pool,
      request,
      name,
      outcome,
      error ?? outcome,
      5,
      retryAfter ?? null,
      0,
      0,
      0,
      null,
    )
  }
  const ask: ServiceHealth['ask'] = async (outcome, more) => {
    const request = await admit()
    assert.ok(request !== null, `no leave for a request that is ${outcome}`)
    await report(request, outcome, more)
  }
  return {
    admit,
    report,
    ask,
    read: async () => {
      const { rows } = await pool.query<ProviderRow>(
        `SELECT state, reason, allowed,
           extract(epoch FROM retry_at - clock_timestamp())::float8 AS wait
         FROM providers WHERE name = $1`,
        [name],
      )
      const [row] = rows
      assert.ok(row)
      return row
    },
    endWait: async () => {
      await pool.query('UPDATE providers SET retry_at = clock_timestamp() WHERE name = $1', [name])
    },
    open: async () => {
      for (let failure = 0; failure < 3; failure += 1) await ask('outage')
    },
  }
}
