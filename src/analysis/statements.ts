import { statement } from '../database/statement.ts'

/** A claimed call: ours until the lease runs out. */
export type Claim = {
  readonly id: number
  readonly call_id: string
  /** The fencing token: what is stored for this claim carries it. */
  readonly lease_token: number
  readonly attempt: number
  readonly burst_attempts: number
  readonly redrives: number
  readonly seconds_since_completion: number
  /** How long the call had been due when it was claimed. */
  readonly seconds_waiting: number
}

/** Claims calls whose analysis is due, oldest first. */
export const claimCalls = statement<
  [owner: string, provider: string, limit: number, leaseSeconds: number],
  Claim
>('claim_calls', 'SELECT * FROM claim_calls($1, $2, $3, $4)')

/** Extends leases; the ids of those still held. */
export const renewLeases = statement<
  [calls: number[], tokens: number[], leaseSeconds: number],
  { readonly id: number }
>('renew_leases', 'SELECT renew_leases AS id FROM renew_leases($1, $2, $3)')

/** Stores a result; false when the lease was lost. */
export const storeResult = statement<
  [
    call: number,
    token: number,
    transcription: string,
    sentiment: string,
    summary: string,
    archiveAfterSeconds: number,
  ],
  { readonly stored: boolean }
>('store_result', 'SELECT store_result($1, $2, $3, $4, $5, $6) AS stored')

/** Ends an attempt without a result; false when the lease was lost. */
export const endAttempt = statement<
  [
    call: number,
    token: number,
    outcome: 'retryable' | 'outage' | 'permanent' | 'released',
    error: string | null,
    usesUpAttempt: boolean,
    fails: boolean,
    waitSeconds: number | null,
  ],
  { readonly ended: boolean }
>('end_attempt', 'SELECT end_attempt($1, $2, $3, $4, $5, $6, $7) AS ended')

/**
 * Gives calls that wait because no service could be asked their place by age back: they are due at once, the oldest
 * first. Calls whose own attempt failed go on waiting.
 */
export const recallCalls = statement<[], never>(
  'recall_calls',
  `UPDATE calls SET due_at = completed_at WHERE id IN (
     SELECT id FROM calls JOIN attempts ON call = id AND number = calls.attempts
     WHERE calls.status = 'PROCESSING_AI' AND calls.lease_owner IS NULL AND outcome = 'outage'
     FOR NO KEY UPDATE OF calls SKIP LOCKED)`,
)

/** In how many seconds the next analysis is due; null when there is none. */
export const nextAnalysisDue = statement<[], { readonly seconds: number | null }>(
  'next_analysis_due',
  `SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 AS seconds FROM calls
   WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')`,
)
