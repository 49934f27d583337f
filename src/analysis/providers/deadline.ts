// A time after which work is given up.
import type { ProviderError } from '../provider.ts'

/**
 * Does work that ends with its signal: when the given signal aborts, or when the time is over.
 * @returns what the work returns; rejects with the reason of the abort, or with `late()` after `seconds`
 */
export async function withDeadline<T>(
  seconds: number,
  late: () => ProviderError,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => controller.abort(late()), seconds * 1_000)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
