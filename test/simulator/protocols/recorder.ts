// Reference servers that write down what a simulated PBX sends, byte by byte, and answer only as told.
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ProtocolCall, SentTrack } from '../../../src/simulator/protocol.ts'
import type { Voices } from '../../../src/simulator/voices.ts'
import { createVirtualClock } from '../virtual-clock.ts'

/** One WebSocket as the server saw it. */
export type RecordedSocket = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** In order; text as strings, bytes as buffers. */
  readonly messages: (string | Buffer)[]
  /** The code of the close frame; 1006 where there was none. */
  readonly closed: Promise<number>
}

export type WebSocketRecorder = {
  readonly url: string
  readonly sockets: readonly RecordedSocket[]
}

/** How a recorder answers. */
export type Behaviour = {
  readonly subprotocol?: string | false
  /** Answers the upgrade with this status. */
  readonly refuse?: number
  readonly onOpen?: (socket: WebSocket) => void
  readonly onMessage?: (socket: WebSocket, message: string | Buffer) => void
}

export async function recordWebSockets(
  t: TestContext,
  { subprotocol, refuse, onOpen, onMessage }: Behaviour = {},
): Promise<WebSocketRecorder> {
  const sockets: RecordedSocket[] = []
  const http = createHttpServer()
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => subprotocol ?? [...offered][0] ?? false,
  })
  http.on('upgrade', (request, socket, head) => {
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 9\r\nconnection: close\r\n\r\nsignature`)
      return
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const messages: (string | Buffer)[] = []
      const { promise: closed, resolve } = Promise.withResolvers<number>()
      sockets.push({ path: request.url ?? '', headers: request.headers, messages, closed })
      webSocket.on('close', (code) => resolve(code))
      webSocket.on('message', (data, isBinary) => {
        const message = isBinary ? (data as Buffer) : String(data)
        messages.push(message)
        onMessage?.(webSocket, message)
      })
      onOpen?.(webSocket)
    })
  })
  const port = await listen(http)
  t.after(() => {
    for (const client of server.clients) client.terminate()
    http.close()
  })
  return { url: `http://127.0.0.1:${port}`, sockets }
}

export type TcpRecorder = {
  readonly port: number
  /** All bytes of the first connection, when that has ended. */
  readonly bytes: Promise<Buffer>
}

export async function recordTcp(
  t: TestContext,
  onConnection: (socket: Socket) => void = () => {},
): Promise<TcpRecorder> {
  const { promise: bytes, resolve } = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks)))
    onConnection(socket)
  })
  t.after(() => server.close())
  return { port: await listen(server), bytes }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const packetBytes = 160

/** Voices of which every packet holds its own number: the customer's from 1, the agent's from 101. */
export function countingVoices(packets: number): Voices {
  const count = (first: number) =>
    Uint8Array.from(
      { length: packets * packetBytes },
      (_, index) => first + Math.floor(index / packetBytes),
    )
  return { customer: count(1), agent: count(101) }
}

/** A call on the virtual clock. */
export function testCall(
  t: TestContext,
  url: string,
  change: Partial<ProtocolCall> = {},
): ProtocolCall {
  return {
    url,
    callId: 'test-call',
    voices: countingVoices(5),
    rate: 1,
    clock: createVirtualClock(),
    signal: t.signal,
    ...change,
  }
}

/** A clock on which nothing is due before the gateway's connections have ended. */
export function afterTheEndOf({ sockets }: WebSocketRecorder): ProtocolCall['clock'] {
  const wait = async (_: number, signal: AbortSignal) => {
    await Promise.race([
      Promise.all(sockets.map(({ closed }) => closed)),
      new Promise((resolve) => signal.addEventListener('abort', resolve)),
    ])
    await new Promise((resolve) => setTimeout(resolve, 5))
    signal.throwIfAborted()
  }
  return { now: createVirtualClock().now, wait }
}

/** What was sent on each track. */
export function sequencesOf(tracks: readonly SentTrack[]): Record<string, readonly number[]> {
  return Object.fromEntries(tracks.map(({ track, sequences }) => [track, sequences]))
}

type Fields = Readonly<Record<string, unknown>>

/** A JSON message of a PBX. */
export type SentMessage = Fields & {
  readonly start?: Fields
  readonly media?: Fields
  readonly parameters?: Fields
}

/** The texts of a socket, parsed. */
export function jsonOf({ messages }: RecordedSocket): SentMessage[] {
  return messages.filter((message) => typeof message === 'string').map((text) => JSON.parse(text))
}

/** The binary messages of a socket. */
export function bytesOf({ messages }: RecordedSocket): Buffer[] {
  return messages.filter((message) => typeof message !== 'string')
}

/** The only socket. */
export function only({ sockets }: WebSocketRecorder): RecordedSocket {
  const [socket] = sockets
  if (socket === undefined || sockets.length > 1)
    throw new Error(`${sockets.length} sockets instead of 1`)
  return socket
}
