// The waveform of a track: the least and the greatest sample of each of some equal parts of the call.
import type { Queryable } from '../database/statement.ts'
import type { AudibleTrack } from './audible-tracks.ts'
import { endOf, openChannel } from './channel.ts'

/** Least and greatest sample of a part, -1 to 1. */
export type Peak = [least: number, greatest: number]

const samplesPerBlock = 32_768
const fullScale = 32_768
const decimals = 10_000

/**
 * Reads the waveform of a track that can be decoded.
 * @param duration of the call, in seconds; its parts are equal
 * @param points how many parts, at least 1
 */
export async function readPeaks(
  db: Queryable,
  call: number,
  track: AudibleTrack,
  duration: number,
  points: number,
): Promise<Peak[]> {
  const { rate } = track
  const total = Math.max(Math.ceil(duration * rate), 1)
  const end = endOf(track, rate)
  const least = new Int16Array(points)
  const greatest = new Int16Array(points)
  const partOf = (sample: number) => Math.min(Math.floor((sample * points) / total), points - 1)
  const channel = openChannel(db, call, track, rate, 0)
  try {
    for (let start = 0; start < end; start += samplesPerBlock) {
      const block = await channel.read(Math.min(samplesPerBlock, end - start))
      for (let index = 0; index < block.length; index += 1) {
        const sample = block[index] ?? 0
        const part = partOf(start + index)
        if (sample < (least[part] ?? 0)) least[part] = sample
        if (sample > (greatest[part] ?? 0)) greatest[part] = sample
      }
    }
  } finally {
    await channel.close()
  }
  return Array.from(least, (value, part) => [share(value), share(greatest[part] ?? 0)])
}

function share(sample: number): number {
  return Math.round((sample / fullScale) * decimals) / decimals
}
