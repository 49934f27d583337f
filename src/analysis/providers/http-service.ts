// One request to an AI service over HTTP, on a connection of its own: bounded in time and size, never redirected,
// and whatever goes wrong is a `ProviderError`. Nothing here trusts the service.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Static, TSchema } from 'typebox'
import { parseJson } from '../../border/json.ts'
import { isOfSchema } from '../../border/validation.ts'
import { ProviderError } from '../provider.ts'
import { withDeadline } from './deadline.ts'
import { type HttpReply, type Private, refusalOf } from './refusal.ts'

/** How long a service may take, in seconds, and how much it may say. */
export type ServiceLimits = {
  /** Until the connection stands. */
  readonly connectSeconds: number
  /** One request, from the first byte to the last. */
  readonly requestSeconds: number
  /** Without a byte, once the answer has begun. */
  readonly idleSeconds: number
  /** A step with all the requests that it takes. */
  readonly totalSeconds: number
  /** Of one answer. */
  readonly answerBytes: number
}

/** Generous to a slow machine, and an end to everything. */
export const usualLimits: ServiceLimits = {
  connectSeconds: 10,
  requestSeconds: 300,
  idleSeconds: 30,
  totalSeconds: 600,
  answerBytes: 8 * 1024 * 1024,
}

/** Where requests go. */
export type HttpService = {
  /** As supervisors know it. */
  readonly name: string
  readonly limits: ServiceLimits
  readonly headers: Readonly<Record<string, string>>
  /** Such as the API key: never repeated in an error. */
  readonly secrets: readonly string[]
}

/** What is posted. */
export type HttpRequest = {
  readonly url: string
  readonly contentType: string
  readonly body: string | Uint8Array
  /** The same for every repetition, so that a service may do the work once. */
  readonly idempotencyKey: string
  /** What of the body callers said: never repeated in an error. */
  readonly sent?: string
}

/** Posts; resolves with the JSON of the answer, which is as its schema says. Rejects with a `ProviderError`, or with the signal's reason. */
export async function post<T extends TSchema>(
  service: HttpService,
  request: HttpRequest,
  schema: T,
  signal: AbortSignal,
): Promise<Static<T>> {
  const { requestSeconds } = service.limits
  const late = () =>
    new ProviderError('retryable', `${service.name}: no answer within ${requestSeconds} s`)
  const reply = await withDeadline(requestSeconds, late, signal, (inTime) =>
    exchange(service, request, inTime),
  )
  if (reply.status < 200 || reply.status > 299) {
    const hidden: Private = { secrets: service.secrets, sent: request.sent ?? '' }
    throw refusalOf(service.name, reply, hidden, Date.now())
  }
  return readJson(service.name, reply.body, schema)
}

/** Parses what should be JSON of a schema. @throws ProviderError retryable */
export function readJson<T extends TSchema>(service: string, body: Buffer, schema: T): Static<T> {
  let value: unknown
  try {
    value = parseJson(body)
  } catch {
    throw garbage(service, 'is not JSON')
  }
  if (!isOfSchema(schema, value)) throw garbage(service, 'is JSON of another form')
  return value
}

/** An answer that nobody can use. */
export function garbage(service: string, what: string): ProviderError {
  return new ProviderError('retryable', `${service}: the answer ${what}`)
}

async function exchange(
  { name, limits, headers }: HttpService,
  { url, contentType, body, idempotencyKey }: HttpRequest,
  signal: AbortSignal,
): Promise<HttpReply> {
  const isSecure = url.startsWith('https:')
  const { promise: head, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const unreachable = () => new ProviderError('outage', `${name}: cannot be reached`)
  let connecting: NodeJS.Timeout | undefined
  try {
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        ...headers,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        'idempotency-key': idempotencyKey,
      },
    })
    connecting = setTimeout(() => outgoing.destroy(unreachable()), limits.connectSeconds * 1_000)
    outgoing.once('socket', (socket) =>
      socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
    )
    outgoing.on('error', reject)
    outgoing.once('response', resolve)
    outgoing.end(body)
    const response = await head
    try {
      return await readReply(name, limits, response, signal)
    } finally {
      // A service that answered before it took the whole body would never take the rest.
      outgoing.destroy()
    }
  } catch (error) {
    throw connectionError(name, error)
  } finally {
    clearTimeout(connecting)
  }
}

/** What a service may say about a failure, in bytes. */
const longestRefusal = 64 * 1024

async function readReply(
  name: string,
  { idleSeconds, answerBytes }: ServiceLimits,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<HttpReply> {
  const { statusCode: status = 0, headers } = response
  const isRefusal = status >= 400
  const most = isRefusal ? longestRefusal : answerBytes
  const stalled = new ProviderError('retryable', `${name}: the answer stopped in the middle`)
  response.setTimeout(idleSeconds * 1_000, () => response.destroy(stalled))
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > most) throw garbage(name, `is larger than ${most} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    // A service that refuses a large upload may close at once: its status says enough.
    if (!isRefusal || signal.aborted) throw error
  }
  return { status, headers, body: Buffer.concat(chunks) }
}

/** The service is not there, or the way to it. */
const unreachableCodes = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
])
const untrustedCodes = /CERT|^ERR_(SSL|TLS)|^EPROTO$|^UNABLE_TO/
const misconfiguredCodes = new Set(['ERR_INVALID_CHAR', 'ERR_INVALID_PROTOCOL', 'ERR_INVALID_URL'])

/** Errors of Node's own tell by their code what happened; their texts are not for supervisors. */
function connectionError(name: string, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  if (unreachableCodes.has(code))
    return new ProviderError('outage', `${name}: cannot be reached (${code})`)
  if (untrustedCodes.test(code))
    return new ProviderError('configuration', `${name}: no secure connection (${code})`)
  if (misconfiguredCodes.has(code))
    return new ProviderError('configuration', `${name}: its address or key is malformed (${code})`)
  return new ProviderError('retryable', `${name}: the connection broke (${code})`)
}
