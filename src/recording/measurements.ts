// The measurements of calls, the latest of them kept: a player asks for one recording many times.
import type { Pool } from '../database/pool.ts'
import { GatewayError } from '../errors.ts'
import { type MeasuredCall, measureCall, stateOf } from './measure.ts'
import { findRecordedCall, listRecordedTracks, type RecordedCall } from './statements.ts'

/** A call and its measurement. */
export type MeasuredRecording = MeasuredCall & { readonly call: RecordedCall }

/** Measures calls; rejects with a `GatewayError`: call_not_found. */
export type Measurements = (callId: string) => Promise<MeasuredRecording>

const mostKept = 32

/** Builds what measures calls. */
export function createMeasurements(pool: Pool): Measurements {
  /** By call and state; the one used last comes last. */
  const kept = new Map<string, Promise<MeasuredCall>>()

  return async (callId) => {
    const [call] = await findRecordedCall(pool, callId)
    if (call === undefined) throw new GatewayError('call_not_found', `Call ${callId} not found`)
    const key = `${call.id} ${stateOf(await listRecordedTracks(pool, call.id, false))}`
    const measured = kept.get(key) ?? measureCall(pool, call.id)
    kept.delete(key)
    kept.set(key, measured)
    measured.catch(() => kept.delete(key))
    for (const [oldest] of kept) {
      if (kept.size <= mostKept) break
      kept.delete(oldest)
    }
    return { call, ...(await measured) }
  }
}
