// One HTTP request and its reply over kept-alive connections. It judges nothing and repeats nothing: any
// status is a reply, only a broken connection is an error.
import * as http from 'node:http'
import * as https from 'node:https'

/** What the server answered. */
export type Reply = {
  readonly status: number
  /** Seconds, of a `Retry-After` in seconds; otherwise 0. */
  readonly retryAfter: number
  readonly body: string
}

/** Connections to one server. */
export type Exchange = {
  /** `path` is relative to the base URL; a `body` is sent as JSON. */
  readonly request: (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Reply>
  readonly close: () => void
}

const mostConnections = 256
const answerTimeoutMs = 10_000

/**
 * Opens no connection before the first request. When the signal is aborted, all requests under way are
 * rejected. (One listener for all of them: thousands on one signal make each new one slow.)
 */
export function createExchange(baseUrl: string, signal: AbortSignal): Exchange {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
  const { request, Agent } = base.protocol === 'https:' ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: mostConnections })
  const underWay = new Set<http.ClientRequest>()
  const abort = () => {
    for (const outgoing of underWay) outgoing.destroy(new Error('aborted'))
  }
  signal.addEventListener('abort', abort)

  return {
    request: (method, path, body) =>
      new Promise((resolve, reject) => {
        const json = body === undefined ? '' : JSON.stringify(body)
        const headers = {
          accept: 'application/json',
          ...(json === '' ? {} : { 'content-type': 'application/json' }),
          'content-length': Buffer.byteLength(json),
        }
        const outgoing = request(new URL(path, base), { method, agent, headers })
        underWay.add(outgoing)
        outgoing.on('close', () => underWay.delete(outgoing))
        outgoing.setTimeout(answerTimeoutMs, () =>
          outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`)),
        )
        outgoing.on('error', reject)
        outgoing.on('response', (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              retryAfter: secondsOf(incoming.headers['retry-after']),
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          )
        })
        outgoing.end(json)
      }),
    close: () => {
      signal.removeEventListener('abort', abort)
      agent.destroy()
    },
  }
}

function secondsOf(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : 0
}
