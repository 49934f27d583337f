/** What a terminal, a service manager or a container engine asks a process to end with. */
export const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** How long a signal may take to arrive again by another way, in milliseconds. */
const longestEchoMs = 1_000

/**
 * A listener for {@link endSignals}: calls `end` at the first, and `endNow` at one that whoever is tired of waiting sends.
 * One Ctrl-C may arrive twice: the terminal signals the whole process group, and npm, which is in it, passes its own on.
 * So what comes within a second of the first is taken for its echo.
 * @param now a clock that never goes back, in milliseconds
 */
export function endOnSignal(
  end: () => void,
  endNow: (signal: NodeJS.Signals) => void,
  now: () => number,
): (signal: NodeJS.Signals) => void {
  let first: number | undefined
  return (signal) => {
    if (first === undefined) {
      first = now()
      end()
    } else if (now() - first > longestEchoMs) endNow(signal)
  }
}
