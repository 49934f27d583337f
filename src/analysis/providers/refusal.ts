// An answer that says no, and what kind of failure that is. Pure.
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http'
import { ProviderError, type ProviderErrorKind } from '../provider.ts'
import { type ErrorBody, readErrorBody, shownError } from './error-text.ts'
import { parseRetryAfter } from './retry-after.ts'

/** An answer as it came. */
export type HttpReply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What an error message must not repeat. */
export type Private = {
  /** Such as the API key. */
  readonly secrets: readonly string[]
  /** What callers said, as far as it was sent. */
  readonly sent: string
}

/** A service's no. */
export class ServiceRefusal extends ProviderError {
  readonly status: number
  /** The service's own words as they came: for decisions, not to be shown. */
  readonly says: string

  constructor(
    kind: ProviderErrorKind,
    message: string,
    { status, says, retryAfterSeconds }: Says & { readonly retryAfterSeconds: number | undefined },
  ) {
    super(kind, message, { retryAfterSeconds })
    this.name = 'ServiceRefusal'
    this.status = status
    this.says = says
  }
}

type Says = { readonly status: number; readonly says: string }

/** The refusal that a reply with any status but 2xx is. @param now milliseconds since 1970 */
export function refusalOf(
  service: string,
  { status, headers, body }: HttpReply,
  hidden: Private,
  now: number,
): ServiceRefusal {
  const error = readErrorBody(body)
  const retryAfter =
    status === 429 || status === 503
      ? parseRetryAfter(headers['retry-after'], headers.date, now)
      : undefined
  const text = shownError(error.text, hidden.secrets, hidden.sent)
  const id = requestIdOf(error, headers)
  const message = [
    `${service}: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(),
    text === '' ? '' : `: ${text}`,
    id === undefined ? '' : ` (request ${id})`,
  ].join('')
  const kind = kindOf(status, error, retryAfter)
  return new ServiceRefusal(kind, message, {
    status,
    says: error.text,
    retryAfterSeconds: kind === 'outage' ? retryAfter : undefined,
  })
}

/** By which the service's own people find the request. */
function requestIdOf({ requestId }: ErrorBody, headers: IncomingHttpHeaders): string | undefined {
  return [requestId, headers['dg-request-id'], headers['x-request-id']].find(
    (id): id is string => typeof id === 'string' && /^[\w-]{1,64}$/.test(id),
  )
}

/** Whatever the status: no call succeeds before somebody acts. */
const configurationCodes = new Set([
  'account_deactivated',
  'billing_hard_limit_reached',
  'billing_not_active',
  'invalid_api_key',
  'model_not_found',
])
const retryable = new Set([408, 409, 425, 499])
const configuration = new Set([401, 402, 403, 404, 405, 407, 501])

function kindOf(
  status: number,
  { text, codes }: ErrorBody,
  retryAfter: number | undefined,
): ProviderErrorKind {
  if (codes.some((code) => configurationCodes.has(code))) return 'configuration'
  if (status === 429) {
    // A quota that is used up comes back by payment, not by waiting.
    const isQuota = retryAfter === undefined && codes.includes('insufficient_quota')
    return isQuota ? 'configuration' : 'outage'
  }
  if (status === 503 && (retryAfter !== undefined || text === 'loading model')) return 'outage'
  if (configuration.has(status) || (status >= 300 && status < 400)) return 'configuration'
  if (retryable.has(status) || status >= 500) return 'retryable'
  return 'permanent'
}
