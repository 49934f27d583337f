// An HTTP server in the place of an AI service: records what comes, counts what it did, and misbehaves on demand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request as it came. */
export type ReceivedRequest = {
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly idempotencyKey: string
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>
}

/** An answer to be sent. */
export type Reply = {
  readonly status: number
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** What a server does in place of answering; `work` does the work and returns the answer that is not sent. */
export type Fault = (response: ServerResponse, work: () => Promise<Reply>) => unknown

/** A running server. */
export type AiServer = {
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** The keys of the requests for which the work was done, as often as it was. */
  readonly done: readonly string[]
  /** From now on: what to do with a request, if not to answer. */
  misbehave: (request: ReceivedRequest) => Fault | undefined
  readonly openSockets: () => number
  readonly close: () => Promise<void>
}

/** Starts a server on a free port of this machine; its URL ends in `basePath`. */
export async function startAiServer(
  basePath: string,
  answer: (request: ReceivedRequest) => Reply | Promise<Reply>,
): Promise<AiServer> {
  const requests: ReceivedRequest[] = []
  const done: string[] = []
  const sockets = new Set<Socket>()

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<void>((resolve) => response.on('close', resolve))
    const url = new URL(incoming.url ?? '/', 'http://service')
    const request: ReceivedRequest = {
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await buffer(incoming),
      idempotencyKey: String(incoming.headers['idempotency-key']),
      closed,
    }
    requests.push(request)
    const work = async () => {
      const reply = await answer(request)
      if (reply.status === 200) done.push(request.idempotencyKey)
      return reply
    }
    const fault = service.misbehave(request)
    if (fault !== undefined) await fault(response, work)
    else send(response, await work())
  }

  const server = createServer((incoming, response) => {
    // A client that goes away in the middle is what some tests are about.
    serve(incoming, response).catch(() => response.destroy())
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const service: AiServer = {
    url: `http://127.0.0.1:${port}${basePath}`,
    requests,
    done,
    misbehave: () => undefined,
    openSockets: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return service
}

/** Sends an answer. */
export function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers?: Reply['headers']): Reply {
  return { status, body: JSON.stringify(value), ...(headers && { headers }) }
}
