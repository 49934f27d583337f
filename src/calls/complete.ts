import type { Pool } from '../database/pool.ts'
import { GatewayError } from '../errors.ts'
import { type CallRow, completeCall, findCall } from './statements.ts'

/** Completes calls on request. */
export type CompleteOnRequest = (callId: string) => Promise<CallRow>

/** What it takes to complete a call. */
export type CompletionOptions = {
  readonly pool: Pool
  readonly graceSeconds: number
  /** Called after a call was completed: its analysis is due after the grace. */
  readonly onCompleted: () => void
}

/**
 * Builds what completes a call because somebody said that it is over; again for the same call it changes
 * nothing. Rejects with a `GatewayError`: call_not_found, call_not_completable.
 */
export function createCompletion(options: CompletionOptions): CompleteOnRequest {
  const { pool, graceSeconds, onCompleted } = options
  return async (callId) => {
    const [completed] = await completeCall(pool, callId, 'endpoint', graceSeconds)
    if (completed === undefined) throw callNotFound(callId)
    if (completed.was === 'FAILED')
      throw new GatewayError('call_not_completable', 'Cannot complete call in status FAILED')
    if (completed.was === 'IN_PROGRESS') onCompleted()
    return await readCall(pool, callId)
  }
}

/** The row of a call. Rejects with a `GatewayError`: call_not_found. */
export async function readCall(pool: Pool, callId: string): Promise<CallRow> {
  const [row] = await findCall(pool, callId)
  if (row === undefined) throw callNotFound(callId)
  return row
}

/** The error of a call id that nobody knows. */
export function callNotFound(callId: string): GatewayError {
  return new GatewayError('call_not_found', `Call ${callId} not found`)
}
