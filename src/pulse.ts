// A job that runs when it is woken, when its next step is due, and in any case every so often: being woken
// makes it fast, the interval makes it sure. It never runs twice at once; a wake-up during a run, or during the
// rest that follows it, leads to one more run.

/** A running pulse. */
export type Pulse = {
  /** Runs the job now, or once more when it is running. */
  readonly wake: () => void
  /** Runs the job in so many milliseconds, unless it runs earlier. */
  readonly wakeIn: (milliseconds: number) => void
  /** No further run; resolves when the current one has ended. */
  readonly stop: () => Promise<void>
}

/** What a pulse does and how often. */
export type PulseOptions = {
  /** The job; it may return in how many milliseconds its next step is due. */
  readonly run: () => Promise<number | undefined>
  /** The longest pause between two runs, in milliseconds. */
  readonly everyMs: number
  /** The rest after a run, however often it is woken, in milliseconds; none unless given. */
  readonly restMs?: () => number
  readonly onError: (error: unknown) => void
}

/** Starts a pulse; its first run is at once. */
export function startPulse({ run, everyMs, restMs, onError }: PulseOptions): Pulse {
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let current: Promise<void> | undefined
  let again = false
  let stopped = false

  function wakeIn(milliseconds: number): void {
    if (stopped) return
    const pause = Math.min(Math.max(milliseconds, 0), everyMs)
    const at = performance.now() + pause
    if (timer !== undefined && timerAt <= at) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(() => {
      timer = undefined
      wake()
    }, pause)
  }

  function wake(): void {
    if (stopped) return
    if (current !== undefined) {
      again = true
      return
    }
    clearTimeout(timer)
    timer = undefined
    again = false
    current = beat()
  }

  async function beat(): Promise<void> {
    let next: number | undefined
    try {
      next = await run()
    } catch (error) {
      onError(error)
    }
    const rest = restMs?.() ?? 0
    if (rest >= 1) await new Promise((resolve) => setTimeout(resolve, rest))
    current = undefined
    if (again) wake()
    else wakeIn(next ?? everyMs)
  }

  wake()
  return {
    wake,
    wakeIn,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await current
    },
  }
}
