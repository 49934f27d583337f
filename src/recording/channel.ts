// One channel of a recording: a track at the rate of the recording and in the time of the call.
import type { Queryable } from '../database/statement.ts'
import type { AudibleTrack } from './audible-tracks.ts'
import type { MeasuredTrack } from './measure.ts'
import { openTrackAudio } from './track-audio.ts'

/** Reads a channel, one block after the other. */
export type Channel = {
  /** The next samples; silence where the track has none. */
  readonly read: (samples: number) => Promise<Int16Array>
  readonly close: () => Promise<void>
}

/** A channel without a track. */
export const silentChannel: Channel = {
  read: async (samples) => new Int16Array(samples),
  close: async () => {},
}

/** How many samples after the start of the call a track starts, at a rate. */
export function startOf({ start }: MeasuredTrack, rate: number): number {
  return Math.round(start * rate)
}

/** At which sample of the call a track ends, at a rate; 0 when it cannot be decoded. */
export function endOf(track: MeasuredTrack, rate: number): number {
  const { rate: own, samples } = track
  return own === null ? 0 : startOf(track, rate) + Math.ceil((samples * rate) / own)
}

/**
 * Opens a channel.
 * @param from in samples of the recording
 */
export function openChannel(
  db: Queryable,
  call: number,
  track: AudibleTrack,
  rate: number,
  from: number,
): Channel {
  const own = track.rate
  const first = from - startOf(track, rate)
  if (own === rate) return openTrackAudio(db, call, track, first)

  // Sample n of the recording lies between two of the track, and is that share of each.
  const placeOf = (sample: number) => Math.floor((sample * own) / rate)
  let next = first
  let position = placeOf(first)
  let known = new Int16Array(0)
  const audio = openTrackAudio(db, call, track, position)
  return {
    read: async (samples) => {
      const block = new Int16Array(samples)
      const begin = placeOf(next)
      const end = placeOf(next + samples - 1) + 2
      const kept = known.subarray(known.length - (position - begin))
      known = concatenate(kept, await audio.read(Math.max(end - position, 0)))
      position = begin + known.length
      for (let index = 0; index < samples; index += 1) {
        const exact = ((next + index) * own) / rate
        const place = Math.floor(exact)
        const left = known[place - begin] ?? 0
        const right = known[place - begin + 1] ?? 0
        block[index] = Math.round(left + (right - left) * (exact - place))
      }
      next += samples
      return block
    },
    close: audio.close,
  }
}

function concatenate(one: Int16Array, other: Int16Array): Int16Array<ArrayBuffer> {
  const whole = new Int16Array(one.length + other.length)
  whole.set(one)
  whole.set(other, one.length)
  return whole
}
