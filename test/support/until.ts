import { setTimeout as pause } from 'node:timers/promises'

const pollMs = 10

type Maybe<T> = T | undefined | null | false

/**
 * Waits for something to be so: asks again until `check` returns a value that is neither false, undefined nor null.
 * @param what named in the error when it did not become so
 * @param withinMs the longest wait, generous: it only bounds a failure
 */
export async function until<T>(
  what: string,
  check: () => Maybe<T> | Promise<Maybe<T>>,
  withinMs = 30_000,
): Promise<T> {
  const end = performance.now() + withinMs
  while (true) {
    const value = await check()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await pause(pollMs)
  }
}
