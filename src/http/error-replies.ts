// Errors become replies here and nowhere else: the status and code of the catalogue, a text for the client, and
// neither SQL nor stack nor path. What is a defect of ours is logged with the request's id.
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refusalOf } from '../border/refusals.ts'
import { InvalidInput, validationProblems } from '../border/validation.ts'
import { GatewayError } from '../errors.ts'

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
    return send(
      reply,
      new InvalidInput(validationProblems(error.validation, error.validationContext)),
    )
  if (error.code === 'FST_ERR_BAD_URL')
    return send(
      reply,
      new InvalidInput([
        { type: 'url_invalid', loc: ['path'], msg: 'The path cannot be decoded', input: null },
      ]),
    )
  const { status } = refusalOf(error)
  if (status === 500) request.log.error({ err: error }, 'a request failed: a defect')
  else if (status === 503) request.log.warn({ err: error }, 'a request could not be served now')
  return send(reply, error)
}

function send(reply: FastifyReply, error: Error): FastifyReply {
  const { status, headers, body } = refusalOf(error)
  return reply.code(status).headers(headers).send(body)
}

function shortPath(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? ''
  return path.length > 100 ? `${path.slice(0, 100)}…` : path
}

/** Time to read the reply, for a client that does not hang up by itself, in milliseconds. */
const partingMs = 1_000

/** The reply to what is not even HTTP, on the bare socket; it ends the connection. */
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
  setTimeout(() => socket.destroy(), partingMs).unref()
}
