// What comes of a request that no provider answered. Pure.
import type { ProviderError } from './provider.ts'

/** No provider may be asked now. It is nobody's failure and uses up no attempt. */
export class NotNow extends Error {
  readonly waitSeconds: number
  /** Another provider is well, and cannot deal with this call. */
  readonly isRefused: boolean

  constructor(waitSeconds: number, reason: string, isRefused: boolean) {
    super(reason)
    this.name = 'NotNow'
    this.waitSeconds = waitSeconds
    this.isRefused = isRefused
  }
}

/**
 * The error that says it.
 * @param refusals of the providers that were asked, in their order
 * @param waitSeconds until one that is away is asked again; infinite when none is away
 * @param reason why that is not asked
 */
export function afterRefusals(
  refusals: readonly ProviderError[],
  waitSeconds: number,
  reason: string,
): ProviderError | NotNow {
  // The call's own failure is one, whoever is away: or nobody would ever hear of it.
  const own = refusals.find(({ kind }) => kind === 'retryable')
  if (own !== undefined) return own
  const [last] = refusals.toReversed()
  // Who is away might deal with the call, so not even "permanent" is the end of it.
  if (waitSeconds !== Number.POSITIVE_INFINITY || last === undefined)
    return new NotNow(
      waitSeconds,
      reason,
      refusals.some(({ kind }) => kind === 'permanent'),
    )
  return refusals.findLast(({ kind }) => kind !== 'permanent') ?? last
}
