// Time as an argument: whatever waits or measures takes a `Clock`, so that a test decides what time it is.
import { setTimeout } from 'node:timers/promises'

/** A clock that can be waited on. */
export type Clock = {
  /** Seconds since 1970; it never goes back. */
  readonly now: () => number
  /** Waits for so many seconds (not at all for 0 or less), or rejects with the signal's reason. */
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => (performance.timeOrigin + performance.now()) / 1000,
  wait: async (seconds, signal) => {
    signal.throwIfAborted()
    if (seconds <= 0) return
    try {
      await setTimeout(seconds * 1000, undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  },
}
