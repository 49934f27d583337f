// A request that may take so long, even if the service does not listen to its signal.
import { ProviderError } from './provider.ts'

/** Runs it; rejects with a `ProviderError` after `seconds`, or with the signal's reason. */
export async function within<T>(
  seconds: number,
  signal: AbortSignal,
  run: (end: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(seconds * 1_000)
  const end = AbortSignal.any([signal, timeout])
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(end.reason)
  if (end.aborted) onAbort()
  end.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(end), aborted])
  } catch (error) {
    if (!signal.aborted && timeout.aborted)
      throw new ProviderError('retryable', `No answer within ${seconds} s`)
    throw error
  } finally {
    end.removeEventListener('abort', onAbort)
  }
}
