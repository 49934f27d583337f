import type { MediaClock } from '../../src/intake/media/media-stream.ts'

/**
 * A clock that goes on with the frames of one call, however long they take on the way.
 * @param arrivals when each of them comes, in milliseconds since the call began
 */
export function frameClock(arrivals: readonly number[]): MediaClock {
  let frames = 0
  const steady = () => 1_000 + (arrivals[Math.min(frames, arrivals.length - 1)] ?? 0)
  return {
    steady,
    // Asked once for each frame.
    wall: () => {
      const now = 1_800_000_000_000 + steady()
      frames += 1
      return now
    },
  }
}
