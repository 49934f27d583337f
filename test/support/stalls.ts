// How long the machine stood still. What is timed by its arrival can be placed no better than that: a test that plays in
// time judges places only where nothing stood still for longer than the gateway makes up for.
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The longest standstill, in milliseconds, with which the place of a gap is still found. */
export const mostStallMs = 250

/** Watches this process from now on, until the end of the scope (`using`). */
export function watchStalls(): Disposable & { readonly longestMs: () => number } {
  const delays = monitorEventLoopDelay({ resolution: 5 })
  delays.enable()
  return {
    longestMs: () => delays.max / 1e6,
    [Symbol.dispose]: () => void delays.disable(),
  }
}
