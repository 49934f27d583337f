// Questions to the gateway, with refusals in words.

/** The gateway refused, or did not answer; the message is for a person. */
export class ApiError extends Error {
  /** The HTTP status; 0: there was no answer. */
  readonly status: number
  /** The code of the refusal, from the catalogue of errors. */
  readonly code: string

  constructor(message: string, status: number, code: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

const patienceMs = 15_000

/** Asks for JSON. @throws ApiError */
export async function ask<Reply>(path: string, init: RequestInit = {}): Promise<Reply> {
  let response: Response
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(patienceMs), ...init })
  } catch {
    throw new ApiError(
      'The gateway does not answer. Nothing was changed, as far as we know.',
      0,
      '',
    )
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Reply
  const { detail, code } = await response.json().catch(() => ({}))
  throw new ApiError(
    typeof detail === 'string' ? detail : `The gateway refused (${response.status}).`,
    response.status,
    String(code ?? ''),
  )
}

/** Asks for something to be done. @throws ApiError */
export async function send<Reply>(
  method: 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Reply> {
  return await ask<Reply>(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
}

/** The path of something of a call. */
export function callPath(callId: string, part = ''): string {
  return `/v1/call/${encodeURIComponent(callId)}${part}`
}
