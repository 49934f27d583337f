// A clock for tests: waiting takes no time, but it is later afterwards.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/simulator/clock.ts'

/** Starts at an arbitrary instant; every wait moves it on to the instant waited for. */
export function createVirtualClock(): Clock {
  let now = 1_763_683_200
  return {
    now: () => now,
    wait: async (seconds, signal) => {
      signal.throwIfAborted()
      const until = now + Math.max(0, seconds)
      await setImmediate()
      signal.throwIfAborted()
      now = Math.max(now, until)
    },
  }
}
