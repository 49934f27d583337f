// What a client is told when something cannot be done: the status and code of the catalogue, a text for the
// client, and neither SQL nor stack nor path. The only place where an error becomes a reply.
import { DatabaseFailure } from '../database/failure.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { MalformedJson } from './json.ts'
import { InvalidInput } from './validation.ts'

/** A reply that says no. */
export type Refusal = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly detail: unknown; readonly code?: ErrorCode }
}

const retryAfterSeconds = '1'

/** A request of which a part was done before it failed: the client is told how much, beside why. */
export class PartlyDone extends Error {
  override readonly cause: Error
  readonly done: Readonly<Record<string, unknown>>

  constructor(cause: Error, done: Readonly<Record<string, unknown>>) {
    super(cause.message)
    this.name = 'PartlyDone'
    this.cause = cause
    this.done = done
  }
}

/** The reply to any error. */
export function refusalOf(error: Error): Refusal {
  if (error instanceof PartlyDone) {
    const refusal = refusalOf(error.cause)
    return { ...refusal, body: { ...error.done, ...refusal.body } }
  }
  if (error instanceof InvalidInput)
    return { status: 422, headers: {}, body: { detail: error.problems } }
  if (error instanceof MalformedJson)
    return {
      status: 422,
      headers: {},
      body: {
        detail: [
          { type: 'json_invalid', loc: ['body', error.offset], msg: error.message, input: null },
        ],
      },
    }
  const { status, code, retryable, message } = asGatewayError(error)
  return {
    status,
    headers: retryable ? { 'retry-after': retryAfterSeconds } : {},
    body: { detail: message, code },
  }
}

function asGatewayError(error: Error & { statusCode?: number }): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof DatabaseFailure) {
    if (error.sqlState === 'GW001')
      return new GatewayError(
        'transition_refused',
        'The call is in a state that does not allow this',
      )
    if (error.kind === 'lock')
      return new GatewayError('call_locked', 'The call is locked by another session')
    if (error.kind === 'unavailable')
      return new GatewayError('database_unavailable', 'The database does not answer')
  }
  const status = error.statusCode ?? 500
  if (status < 400 || (status >= 500 && status !== 503))
    return new GatewayError('internal', 'Internal error')
  return new GatewayError(codesByStatus[status] ?? 'malformed_request', error.message)
}

/** Of errors that the framework and its plugins throw; every other 4xx is the client's mistake as well. */
const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  // A path outside the folder of files: whether there is something is none of the client's business.
  403: 'not_found',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  503: 'shutting_down',
}
