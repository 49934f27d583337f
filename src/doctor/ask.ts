// Requests of the doctor over HTTP: bounded in time, and whatever goes wrong is an answer, too.

/** An answer; `body` is parsed JSON, undefined when it is none. */
export type Answer = { readonly status: number; readonly body: unknown }

const patienceMs = 3_000

/** Asks, and returns the answer, or in a few words why there is none. */
export async function ask(
  url: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' = 'GET',
  body?: object,
): Promise<Answer | string> {
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(patienceMs),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: parse(text) }
  } catch (error) {
    return reasonOf(error)
  }
}

/** What went wrong, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patienceMs / 1_000} s`
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error.message || ('code' in error ? String(error.code) : error.name)
}

/** A URL as it may be shown: without a password. */
export function showUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1…@')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
