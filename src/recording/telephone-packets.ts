// The packets of a call as a telephone would have sent them, for those who know nothing else: 20 ms of 8 kHz G.711
// µ-law each. Tracks that cannot be decoded come as they were sent.
import type { Queryable } from '../database/statement.ts'
import { readPackets, type StoredPacket } from '../ledger/read-packets.ts'
import { emptyLayout } from '../ledger/track-layout.ts'
import { findCodec } from './codecs.ts'
import { encodeMuLaw } from './g711.ts'
import { listRecordedTracks, type RecordedTrack } from './statements.ts'
import { playTrack } from './track-audio.ts'
import { parseTrackFormat, type TrackFormat } from './track-format.ts'

const telephoneRate = 8_000
const [frameSamples, framesPerSecond] = [160, 50]

/**
 * Yields the packets of a call (by its `id`), one track after the other, each in ascending order. The sequence of
 * a decoded packet is its place in the time of the track, from 1; where audio is missing there is no packet.
 */
export async function* readTelephonePackets(
  db: Queryable,
  call: number,
): AsyncGenerator<StoredPacket> {
  for (const track of await listRecordedTracks(db, call, false)) {
    const format = parseTrackFormat(track.media_format)
    if (format === undefined || findCodec(format.encoding) === undefined)
      yield* readPackets(db, call, [track.track])
    else yield* readFrames(db, call, track, format)
  }
}

async function* readFrames(
  db: Queryable,
  call: number,
  { track, silences }: RecordedTrack,
  format: TrackFormat,
): AsyncGenerator<StoredPacket> {
  const perFrame = format.rate / framesPerSecond
  const start = { layout: emptyLayout, sequence: 0, settle: 0, from: 0 }
  const playable = {
    track,
    format,
    silences,
    checkpoints: [start],
    received_to: Number.MAX_SAFE_INTEGER,
  }
  /** Samples without a gap between them, of which no whole frame is left, and where they start. */
  let pending = new Int16Array(0)
  let position = 0
  /** The place of the next frame: frames are cut from where the audio begins, or begins again. */
  let place = 0
  for await (const stretch of playTrack(db, call, playable, 0)) {
    if (stretch.start !== position + pending.length) {
      pending = new Int16Array(0)
      position = stretch.start
      place = Math.round(position / perFrame)
    }
    const joined = new Int16Array(pending.length + stretch.samples.length)
    joined.set(pending)
    joined.set(stretch.samples, pending.length)
    const frames = Math.floor(joined.length / perFrame)
    for (let frame = 0; frame < frames; frame += 1) {
      const payload = encodeMuLaw(pick(joined, frame * perFrame, format.rate / telephoneRate))
      yield { track, sequence: place + 1, timestamp: place / framesPerSecond, payload }
      place += 1
    }
    const used = Math.floor(frames * perFrame)
    pending = joined.slice(used)
    position += used
  }
}

/** A frame's samples, every `step`-th from `start`. */
function pick(samples: Int16Array, start: number, step: number): Int16Array {
  return Int16Array.from(
    { length: frameSamples },
    (_, index) => samples[Math.floor(start + index * step)] ?? 0,
  )
}
