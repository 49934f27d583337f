// A clock for what comes hundreds at a time: to look at the system's for each packet takes as long as to put it in its queue.

/**
 * A clock that stands still until the code that runs now gives way to other code.
 * @param now in any unit
 */
export function createTurnClock(now: () => number): () => number {
  let time: number | undefined
  const forget = () => {
    time = undefined
  }
  return () => {
    if (time !== undefined) return time
    time = now()
    queueMicrotask(forget)
    return time
  }
}
