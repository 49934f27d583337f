// Work that may take so long, even if it does not listen to its signal.
import { ProviderError } from './provider.ts'

/**
 * Runs it; rejects with a retryable `ProviderError` after `seconds`, or with the signal's reason. Nothing of it is left
 * when it is over: an `AbortSignal.timeout()` would stay in memory for as long as the work might have taken.
 * @param complaint how the error begins, before “within … s”
 */
export async function within<T>(
  seconds: number,
  signal: AbortSignal,
  run: (end: AbortSignal) => Promise<T>,
  complaint = 'No answer',
): Promise<T> {
  const end = new AbortController()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const tooLate = new ProviderError('retryable', `${complaint} within ${seconds} s`)
  const stop = (reason: unknown) => {
    end.abort(reason)
    reject(reason)
  }
  const onAbort = () => stop(signal.reason)
  const timer = setTimeout(() => stop(tooLate), seconds * 1_000)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(end.signal), aborted])
  } catch (error) {
    throw end.signal.reason === tooLate ? tooLate : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
