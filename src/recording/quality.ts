// The loss account of a call for people to read: what was lost of each track, where, why, and how bad that is. Pure.
import { describeRanges, parseMultirange } from '../calls/missing-packets.ts'
import type { TrackName } from '../ledger/packet.ts'
import type { MeasuredCall, MeasuredTrack } from './measure.ts'

/** How good a recording is: A to F, by the share of audio lost. */
export type Grade = 'A' | 'B' | 'C' | 'D' | 'F'

/** Whose voice a track is. */
export type Role = 'customer' | 'agent' | 'both'

/** The greatest shares of audio lost. */
const limits: readonly (readonly [Grade, number])[] = [
  ['A', 0.001],
  ['B', 0.01],
  ['C', 0.03],
  ['D', 0.1],
]

/** The grade of a call; null without audio. */
export function gradeOf(lostMs: number, durationMs: number): Grade | null {
  if (!(durationMs > 0)) return null
  return limits.find(([, limit]) => lostMs <= limit * durationMs)?.[0] ?? 'F'
}

/** Whose voice a track is: of the customer `inbound`, unless a supervisor swapped the tracks. */
export function roleOf(track: TrackName, swapped: boolean): Role {
  if (track === 'mixed') return 'both'
  return (track === 'inbound') === swapped ? 'agent' : 'customer'
}

/** Seconds as milliseconds, to the microsecond. */
export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000_000) / 1_000
}

/** The gaps of a track as replies show them; times in the call, null where they are not known. */
export function describeGaps({ gaps, rate, start }: MeasuredTrack) {
  return gaps.map(({ start: first, samples, packets, ...gap }) => ({
    start_ms: rate === null ? null : milliseconds(start + first / rate),
    duration_ms: rate !== null ? milliseconds(samples / rate) : packets === 0 ? samples : null,
    first_sequence: gap.first_sequence,
    last_sequence: gap.last_sequence,
    packets,
    cause: gap.cause,
  }))
}

/**
 * The loss account of a track.
 * @param late how many packets came too late for live use; the others that came out of order are `reordered`
 */
export function describeTrack(track: MeasuredTrack, swapped: boolean, late: number) {
  const { format, rate } = track
  const inMs = (samples: number) => (rate === null ? null : milliseconds(samples / rate))
  return {
    track: track.track,
    role: roleOf(track.track, swapped),
    encoding: format?.encoding ?? null,
    rate: format?.rate ?? null,
    received: track.packets,
    duplicate: track.duplicates,
    late,
    reordered: Math.max(track.late - late, 0),
    missing_packets: describeRanges(parseMultirange(track.missing)),
    missing_count: track.missing_count,
    missing_ms: inMs(track.lostSamples),
    duration_ms: inMs(track.samples),
    gaps: describeGaps(track),
    gaps_total: track.gapsTotal,
  }
}

/** What was lost of a call as a whole. */
export function describeLoss({ tracks, duration }: MeasuredCall) {
  let [audible, lost, all] = [false, 0, 0]
  for (const { rate, samples, lostSamples } of tracks) {
    if (rate === null) continue
    audible = true
    lost += lostSamples / rate
    all += samples / rate
  }
  return {
    grade: gradeOf(lost, all),
    lost_ms: audible ? milliseconds(lost) : null,
    duration_ms: audible ? milliseconds(duration) : null,
  }
}
