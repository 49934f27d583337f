// A body that comes too slowly holds a connection and nothing else, but for ever. Node's own limit would also end
// the streams, which may last as long as a call.
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

const sweepMs = 1_000

/** Of a connection: since when it waits for a body, by the monotonic clock in milliseconds; 0: it does not. */
type Connection = { readonly socket: Socket; waitsSince: number }

/**
 * Ends requests whose body is not complete after so long, as Node ends slow headers: by a `clientError`.
 * @param maySlow requests that may take as long as they like
 */
export function limitSlowBodies(
  server: Server,
  longestMs: number,
  maySlow: (request: IncomingMessage) => boolean,
): void {
  // By connection, not by request: a set through which every request passes keeps them from being
  // collected while they are young.
  const connections = new Map<Socket, Connection>()

  server.on('connection', (socket: Socket) => {
    connections.set(socket, { socket, waitsSince: 0 })
    socket.once('close', () => connections.delete(socket))
  })

  server.on('request', (request: IncomingMessage) => {
    const { headers } = request
    const hasBody =
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    const connection = connections.get(request.socket)
    if (!hasBody || connection === undefined || maySlow(request)) return
    connection.waitsSince = performance.now()
    request.once('end', () => {
      connection.waitsSince = 0
    })
  })

  const sweep = setInterval(() => {
    const latest = performance.now() - longestMs
    for (const connection of connections.values()) {
      if (connection.waitsSince === 0 || connection.waitsSince > latest) continue
      connection.waitsSince = 0
      const error = Object.assign(new Error('The body did not arrive in time'), {
        code: 'ERR_HTTP_REQUEST_TIMEOUT',
      })
      server.emit('clientError', error, connection.socket)
    }
  }, sweepMs)
  sweep.unref()
  server.once('close', () => clearInterval(sweep))
}
