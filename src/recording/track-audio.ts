// The second pass over a track: its samples, one stretch after the other, with exact silence where there are none.
import type { Queryable } from '../database/statement.ts'
import { TrackLayout } from '../ledger/track-layout.ts'
import { findCodec } from './codecs.ts'
import { type MeasuredTrack, packetsPerCheckpoint } from './measure.ts'
import { type PacketSelection, readRecordedPackets } from './recorded-packets.ts'

/** The decoded samples of a packet and where in the track they start. */
export type Stretch = { readonly start: number; readonly samples: Int16Array }

/** What of a track is needed to decode it. */
export type PlayableTrack = Pick<
  MeasuredTrack,
  'track' | 'format' | 'silences' | 'checkpoints' | 'received_to'
>

/** Reads a track from its start or from somewhere within it. */
export type TrackAudio = {
  /** The samples from where the last call ended, or from where it was opened; none beyond the end but silence. */
  readonly read: (samples: number) => Promise<Int16Array>
  /** Stops to read. */
  readonly close: () => Promise<void>
}

/**
 * Opens a track.
 * @param from in samples of the track; negative: silence comes first
 */
export function openTrackAudio(
  db: Queryable,
  call: number,
  track: PlayableTrack,
  from: number,
): TrackAudio {
  const stretches = playTrack(db, call, track, from)
  let position = from
  let current: Stretch | undefined

  return {
    read: async (samples) => {
      const start = position
      const end = start + samples
      position = end
      const block = new Int16Array(samples)
      while (start < end) {
        if (current === undefined) {
          const { value, done } = await stretches.next()
          if (done === true) break
          current = value
        }
        const { start: at, samples: decoded } = current
        if (at >= end) break
        const piece = decoded.subarray(Math.max(start - at, 0), end - at)
        block.set(piece, Math.max(at - start, 0))
        if (at + decoded.length > end) break
        current = undefined
      }
      return block
    },
    close: async () => {
      await stretches.return(undefined)
    },
  }
}

/** Decodes a track, from the packet on that holds a sample, or somewhat earlier. */
export async function* playTrack(
  db: Queryable,
  call: number,
  track: PlayableTrack,
  from: number,
): AsyncGenerator<Stretch, undefined> {
  const { format, silences, checkpoints } = track
  const codec = format && findCodec(format.encoding)
  const found = checkpoints.findLastIndex(({ layout }) => layout.position <= from)
  const index = Math.max(found, 0)
  const checkpoint = checkpoints[index]
  if (format === undefined || codec === undefined || checkpoint === undefined) return
  const layout = new TrackLayout(format, silences, () => {}, checkpoint.layout)
  const selection: PacketSelection = {
    call,
    track: track.track,
    asOf: track.received_to ?? 0,
    from: checkpoint.from,
    payload: 'all',
  }
  const decoder = await codec.open(format.rate)
  const recent: Uint8Array[] = []
  let packets = index * packetsPerCheckpoint
  try {
    for await (const { packets: ordered } of readRecordedPackets(db, selection))
      for (const { sequence, timestamp, payload } of ordered) {
        if (sequence < checkpoint.settle || payload === null) continue
        if (sequence >= checkpoint.sequence) {
          // A decoder starts anew at every checkpoint, so that whoever jumps there hears the same samples.
          if (codec.preroll > 0 && packets % packetsPerCheckpoint === 0) {
            await decoder.reset()
            for (const settling of recent) decoder.decode(settling)
          }
          packets += 1
          const samples = codec.samplesOf(payload, format.rate)
          const start = layout.place({ sequence, timestamp, samples })
          if (codec.preroll > 0 || start + samples > from)
            yield { start, samples: decoder.decode(payload) }
        }
        recent.push(payload)
        if (recent.length > codec.preroll) recent.shift()
      }
  } finally {
    decoder.close()
  }
}
