// The health of AI services in the database, one for all gateways: see the migration.
import { statement } from '../database/statement.ts'

/** Why a provider is asked or not. */
export type ProviderState = 'closed' | 'open' | 'half_open' | 'paused'

/** What became of a request. */
export type RequestOutcome =
  | 'succeeded'
  | 'permanent'
  | 'retryable'
  | 'outage'
  | 'configuration'
  | 'released'

/** Says which providers there are, and how many requests at once each may get. */
export const declareProviders = statement<[names: string[], ceilings: number[]], never>(
  'declare_providers',
  'SELECT FROM declare_providers($1, $2)',
)

/** How many more requests providers may be sent, in the order of the names; `wait` in seconds when one is not asked. */
export const providerCapacity = statement<
  [names: string[]],
  {
    readonly provider: string
    readonly state: ProviderState
    readonly free: number
    readonly wait: number | null
  }
>('provider_capacity', 'SELECT * FROM provider_capacity($1)')

/** Asks for leave to send a request; without one, in how many seconds to ask again, and why. */
export const admitRequest = statement<
  [provider: string, call: number, step: string, owner: string, expiresSeconds: number],
  {
    readonly request: number | null
    /** `closed` and no request: it is busy. */
    readonly state: ProviderState
    readonly wait: number | null
    readonly reason: string | null
  }
>('admit_request', 'SELECT * FROM admit_request($1, $2, $3, $4, $5)')

/**
 * Tells what became of a request. `is_own`: the call's own failure; the provider refused it before, and answered who
 * tells since.
 */
export const reportRequest = statement<
  [
    request: number,
    provider: string,
    outcome: RequestOutcome,
    error: string | null,
    latencyMs: number,
    retryAfterSeconds: number | null,
    audioSeconds: number,
    inputTokens: number,
    outputTokens: number,
    answeredSecondsAgo: number | null,
  ],
  {
    readonly state_before: ProviderState
    readonly state_now: ProviderState
    readonly is_own: boolean
  }
>('report_request', 'SELECT * FROM report_request($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)')

/** Keeps requests that are under way from expiring. */
export const renewRequests = statement<[requests: number[], expiresSeconds: number], never>(
  'renew_requests',
  `UPDATE provider_requests SET expires_at = clock_timestamp() + make_interval(secs => $2)
   WHERE id = ANY ($1)`,
)

/** Whether the roles of the tracks of a call were exchanged. */
export const readSwapped = statement<[call: number], { readonly swapped: boolean }>(
  'read_swapped',
  'SELECT tracks_swapped AS swapped FROM calls WHERE id = $1',
)
