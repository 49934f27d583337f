// JSON over kept-alive connections, for tests that send thousands of requests.
import { Agent, request } from 'node:http'

/** An answer with its parsed body. */
export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

/** Connections to gateways. */
export type KeepAlive = Disposable & {
  /** Posts JSON; undefined when the connection broke: nobody knows what became of the request. */
  readonly post: (url: string, body?: unknown) => Promise<Answer | undefined>
}

const connectionsPerGateway = 128
/** A gateway that hangs is as good as none. */
const answerTimeoutMs = 10_000
/** No process listens: what a load balancer would say, since certainly nothing was stored. */
const unreachable: Answer = { status: 503, body: { code: 'unreachable' } }

/** Opens no connection before the first request. */
export function keepAlive(): KeepAlive {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsPerGateway })
  return {
    post: (url, body) =>
      new Promise((resolve) => {
        const json = body === undefined ? '' : JSON.stringify(body)
        const type = json === '' ? {} : { 'content-type': 'application/json' }
        const headers = { ...type, 'content-length': Buffer.byteLength(json) }
        const outgoing = request(url, { method: 'POST', agent, headers, timeout: answerTimeoutMs })
        outgoing.on('timeout', () => outgoing.destroy())
        outgoing.on('error', ({ code }: NodeJS.ErrnoException) =>
          resolve(code === 'ECONNREFUSED' ? unreachable : undefined),
        )
        outgoing.on('response', (incoming) => {
          let text = ''
          incoming.setEncoding('utf8')
          incoming.on('data', (chunk) => {
            text += chunk
          })
          incoming.on('error', () => resolve(undefined))
          incoming.on('end', () => {
            const parsed = JSON.parse(text) as Answer['body']
            resolve({ status: incoming.statusCode ?? 0, body: parsed })
          })
        })
        outgoing.end(json)
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}
