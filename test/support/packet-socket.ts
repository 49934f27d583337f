// A client of the packet stream over WebSocket, from docs/streams.md: what it hears, it keeps.
import WebSocket from 'ws'
import { until } from './until.ts'

/** A message of the gateway. */
export type Heard = Readonly<Record<string, unknown>>

/** A connection; it is cut at the end of the scope (`using`). */
export type PacketSocket = Disposable & {
  readonly socket: WebSocket
  /** All messages so far. */
  readonly heard: readonly Heard[]
  /** Sends text or bytes as they are, anything else as JSON. */
  readonly send: (message: object | string | Buffer) => void
  /** The first message that has these fields, now or later. */
  readonly hears: (fields: Heard) => Promise<Heard>
  /** How many packets of a call and track are settled, and through which one. */
  readonly settled: (callId: string, track?: string) => { packets: number; through: number }
  /** Resolves with the close code. */
  readonly closed: Promise<number>
}

/**
 * Connects.
 * @param path the call, and a query if there is one
 * @param onHeard called with each message as it comes
 */
export async function connectPackets(
  url: string,
  path: string,
  onHeard: (message: Heard) => void = () => {},
): Promise<PacketSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/call/stream/${path}`)
  const heard: Heard[] = []
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Heard
    heard.push(message)
    onHeard(message)
  })
  const { promise: closed, resolve: close } = Promise.withResolvers<number>()
  socket.on('close', close)
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  return {
    socket,
    heard,
    send: (message) =>
      socket.send(
        typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      ),
    hears: (fields) =>
      until(JSON.stringify(fields), () =>
        heard.find((message) =>
          Object.entries(fields).every(([name, value]) => message[name] === value),
        ),
      ),
    settled: (callId, track = 'mixed') => {
      const ack = heard.findLast(
        ({ type, call_id: call, track: of }) => type === 'ack' && call === callId && of === track,
      )
      return { packets: Number(ack?.packets ?? 0), through: Number(ack?.through ?? -1) }
    },
    closed,
    [Symbol.dispose]: () => socket.terminate(),
  }
}

/** A packet as a message. */
export function packetMessage(sequence: number, more: object = {}): object {
  return { sequence, data: `packet ${sequence}`, timestamp: sequence + 1, ...more }
}
