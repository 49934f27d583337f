// The measurements of calls, the latest of them kept: a player asks for one recording many times.
import { settleCall } from '../calls/statements.ts'
import type { Queryable } from '../database/statement.ts'
import { GatewayError } from '../errors.ts'
import { type MeasuredCall, measureCall, stateOf } from './measure.ts'
import { findRecordedCall, listRecordedTracks, type RecordedCall } from './statements.ts'

/** A call and its measurement. */
export type MeasuredRecording = MeasuredCall & { readonly call: RecordedCall }

/** Measures calls; rejects with a `GatewayError`: call_not_found. */
export type Measurements = (callId: string) => Promise<MeasuredRecording>

const mostKept = 32

/** Builds what measures calls. */
export function createMeasurements(db: Queryable): Measurements {
  /** By call and state; the one used last comes last. */
  const kept = new Map<string, Promise<MeasuredCall>>()

  return async (callId) => {
    await settleCall(db, callId)
    const [call] = await findRecordedCall(db, callId)
    if (call === undefined) throw new GatewayError('call_not_found', `Call ${callId} not found`)
    const rows = await listRecordedTracks(db, call.id, false)
    const key = `${call.id} ${stateOf(rows)}`
    const measured = kept.get(key) ?? measureCall(db, call.id)
    kept.delete(key)
    kept.set(key, measured)
    measured.catch(() => kept.delete(key))
    for (const [oldest] of kept) {
      if (kept.size <= mostKept) break
      kept.delete(oldest)
    }
    const { tracks, ...rest } = await measured
    // A packet that came again changes its count and nothing of the audio.
    const duplicates = new Map(rows.map((row) => [row.track, row.duplicates]))
    const counted = tracks.map((track) => ({
      ...track,
      duplicates: Math.max(track.duplicates, duplicates.get(track.track) ?? 0),
    }))
    return { call, tracks: counted, ...rest }
  }
}
