// How long a service wants to be left alone. Pure.

/** An hour: a service that names a longer time is asked again then. */
const longestSeconds = 3_600

const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, .+ GMT$/

/**
 * Reads a `Retry-After` header: seconds, or an HTTP-date, which is compared with the service's own clock.
 * @param date the `Date` header of the same answer
 * @param now milliseconds since 1970, for an answer without a `Date`
 * @returns 0 to 3600 seconds; `undefined` for a header that is missing or makes no sense
 */
export function parseRetryAfter(
  value: string | undefined,
  date: string | undefined,
  now: number,
): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text), longestSeconds)
  const at = parseHttpDate(text)
  if (at === undefined) return undefined
  const seconds = (at - (parseHttpDate(date ?? '') ?? now)) / 1_000
  return Math.min(Math.max(seconds, 0), longestSeconds)
}

function parseHttpDate(text: string): number | undefined {
  const at = httpDate.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
