// A PBX that connects to a gateway by WebSocket: it sends what it is told to, and keeps what it hears.
import WebSocket from 'ws'
import { until } from './until.ts'

/** A connection; it is cut at the end of the scope (`using`). */
export type MediaSocket = Disposable & {
  readonly socket: WebSocket
  /** Parsed JSON that was heard. */
  readonly heard: readonly Record<string, unknown>[]
  /** Sends bytes and text as they are, anything else as JSON. */
  readonly send: (message: object | string | Uint8Array) => void
  /** The first message of a type, now or later. */
  readonly hears: (type: string) => Promise<Record<string, unknown>>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

/** How to connect. */
export type MediaSocketOptions = {
  readonly headers?: Readonly<Record<string, string>>
  readonly subprotocol?: string
}

/**
 * Connects.
 * @throws Error with the status and the body when the upgrade is refused
 */
export async function connectMedia(
  url: string,
  path: string,
  { headers = {}, subprotocol }: MediaSocketOptions = {},
): Promise<MediaSocket> {
  const target = `${url.replace('http', 'ws')}${path}`
  const socket = new WebSocket(target, subprotocol === undefined ? [] : [subprotocol], { headers })
  const heard: Record<string, unknown>[] = []
  socket.on('message', (data) => heard.push(JSON.parse(String(data)) as Record<string, unknown>))
  const { promise: closed, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
  socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  await new Promise<void>((opened, refused) => {
    socket.on('open', opened)
    socket.on('error', refused)
    socket.on('unexpected-response', async (_request, response) => {
      const body = Buffer.concat(await response.toArray())
      refused(new Error(`${response.statusCode} ${body}`))
    })
  })
  return {
    socket,
    heard,
    send: (message) =>
      socket.send(
        typeof message === 'string' || message instanceof Uint8Array
          ? message
          : JSON.stringify(message),
      ),
    hears: (type) => until(type, () => heard.find((message) => message.type === type)),
    closed,
    [Symbol.dispose]: () => socket.terminate(),
  }
}
