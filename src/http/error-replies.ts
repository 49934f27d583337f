// Errors become replies here and nowhere else: the status and code of the catalogue, a text for the client, and
// neither SQL nor stack nor path. What is a defect of ours is logged with the request's id.
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DatabaseFailure } from '../database/failure.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { MalformedJson } from './json-body.ts'
import { type ValidationProblem, validationProblems } from './validation.ts'

const retryAfterSeconds = '1'

/** Installs the error handler and the reply to unknown routes. */
export function replyToErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => replyTo(error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    send(
      reply,
      new GatewayError('not_found', `There is no ${request.method} ${shortPath(request)}`),
    ),
  )
}

/** The reply to any error of a request. */
export function replyTo(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  if (error.validation)
    return sendProblems(reply, validationProblems(error.validation, error.validationContext))
  if (error instanceof MalformedJson)
    return sendProblems(reply, [
      { type: 'json_invalid', loc: ['body', error.offset], msg: error.message, input: null },
    ])
  if (error.code === 'FST_ERR_BAD_URL')
    return sendProblems(reply, [
      { type: 'url_invalid', loc: ['path'], msg: 'The path cannot be decoded', input: null },
    ])
  const known = asGatewayError(error)
  if (known.code === 'internal') request.log.error({ err: error }, 'a request failed: a defect')
  else if (known.retryable) request.log.warn({ err: error }, 'a request could not be served now')
  return send(reply, known)
}

function asGatewayError(error: FastifyError): GatewayError {
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

function send(reply: FastifyReply, error: GatewayError): FastifyReply {
  if (error.retryable) reply.header('retry-after', retryAfterSeconds)
  return reply.code(error.status).send({ detail: error.message, code: error.code })
}

function sendProblems(reply: FastifyReply, detail: ValidationProblem[]): FastifyReply {
  return reply.code(422).send({ detail })
}

function shortPath(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? ''
  return path.length > 100 ? `${path.slice(0, 100)}…` : path
}

/** The reply to what is not even HTTP, on the bare socket. */
export function replyToClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'The request did not arrive in time']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'The headers are too large']
        : ['400 Bad Request', 'The request is not valid HTTP']
  const body = JSON.stringify({ detail, code: 'malformed_request' })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
