// A body that comes too slowly holds a connection and nothing else, but for ever. Node's own limit would also end
// the streams, which may last as long as a call.
import type { IncomingMessage, Server } from 'node:http'

const sweepMs = 1_000

/**
 * Ends requests whose body is not complete after so long, as Node ends slow headers: by a `clientError`.
 * @param maySlow requests that may take as long as they like
 */
export function limitSlowBodies(
  server: Server,
  longestMs: number,
  maySlow: (request: IncomingMessage) => boolean,
): void {
  const open = new Map<IncomingMessage, number>()

  server.on('request', (request: IncomingMessage) => {
    const { headers } = request
    const hasBody =
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    if (!hasBody || maySlow(request)) return
    open.set(request, performance.now())
    const forget = (): void => void open.delete(request)
    request.once('end', forget).once('close', forget)
  })

  const sweep = setInterval(() => {
    const latest = performance.now() - longestMs
    for (const [request, since] of open) {
      if (since > latest) continue
      open.delete(request)
      const error = Object.assign(new Error('The body did not arrive in time'), {
        code: 'ERR_HTTP_REQUEST_TIMEOUT',
      })
      server.emit('clientError', error, request.socket)
    }
  }, sweepMs)
  sweep.unref()
  server.once('close', () => clearInterval(sweep))
}
