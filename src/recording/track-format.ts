// The format of a track, as the database keeps it.
import type { LayoutFormat } from '../ledger/track-layout.ts'

/** What the audio of a track is. */
export type TrackFormat = LayoutFormat & {
  /** How packets are coded, in capitals, as in `PCMU`. */
  readonly encoding: string
}

const [slowest, fastest] = [1_000, 384_000]
/** G.722 is named after the clock of its RTP packets in some protocols; its audio has this rate. */
const g722Rate = 16_000
/** The rates at which Opus can be decoded. */
const opusRates: readonly unknown[] = [8_000, 12_000, 16_000, 24_000, 48_000]

/**
 * Reads `tracks.media_format`: `{encoding, rate, clock}`; `undefined` when the payload is opaque. The rate is
 * the one at which the audio is decoded.
 */
export function parseTrackFormat(value: unknown): TrackFormat | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { encoding: name, rate: declared, clock } = value as Record<string, unknown>
  if (typeof name !== 'string') return undefined
  const encoding = name.toUpperCase()
  const rate = decodedRate(encoding, declared)
  if (rate === undefined) return undefined
  return { encoding, rate, clock: clock === 'arrival' ? 'arrival' : 'sender' }
}

function decodedRate(encoding: string, declared: unknown): number | undefined {
  if (encoding === 'G722') return g722Rate
  const isSane =
    typeof declared === 'number' &&
    Number.isInteger(declared) &&
    declared >= slowest &&
    declared <= fastest
  if (!isSane) return undefined
  return encoding === 'OPUS' && !opusRates.includes(declared) ? 48_000 : declared
}
