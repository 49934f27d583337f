// Which tracks of a call can be heard, and in words why one cannot. Pure.
import { GatewayError } from '../errors.ts'
import type { TrackName } from '../ledger/packet.ts'
import type { MeasuredTrack } from './measure.ts'

/** A track that can be decoded. */
export type AudibleTrack = MeasuredTrack & { readonly rate: number }

/**
 * The tracks that declare a format, or the one of that name.
 * @throws GatewayError no_recording when there is none, or one of them cannot be decoded
 */
export function audibleTracks(
  tracks: readonly MeasuredTrack[],
  only?: TrackName,
): readonly AudibleTrack[] {
  const declared = tracks.filter(({ format }) => format !== undefined)
  if (declared.length === 0)
    throw new GatewayError(
      'no_recording',
      'No packet of this call declares a media format: what they hold is stored, but not known to be audio',
    )
  const wanted = declared.filter(({ track }) => only === undefined || track === only)
  if (wanted.length === 0)
    throw new GatewayError('no_recording', `The call has no audio on its track ${only}`)
  return wanted.map((track) => {
    const { rate, format } = track
    if (rate === null)
      throw new GatewayError(
        'no_recording',
        `Audio of the encoding ${format?.encoding} cannot be decoded`,
      )
    return { ...track, rate }
  })
}
