// A connection of a simulated PBX to the gateway, WebSocket or TCP. What the gateway does wrong on it (ends
// it early, says what the protocol does not allow) is an error for whoever sends or says goodbye next.
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import type { Message } from './protocol.ts'

/** An open connection. */
export type Connection = {
  /** @throws Error when the gateway has ended it, or has broken the protocol */
  readonly send: (message: Message) => void
  /**
   * Waits for something that the gateway has to say, in real time.
   * @throws Error as {@link Connection.send}, or with `otherwise` after so many milliseconds
   */
  readonly waitFor: (event: Promise<void>, milliseconds: number, otherwise: string) => Promise<void>
  /** Resolves when less than 1 MiB waits to leave. */
  readonly drained: () => Promise<void>
  /**
   * Ends it in order; the gateway may have ended it before, in order, too.
   * @throws Error as {@link Connection.send}
   */
  readonly close: () => Promise<void>
  /** Ends it at once and without a goodbye. */
  readonly cut: () => void
  /** Resolves when it has ended, by whomever. */
  readonly ended: Promise<void>
}

/** Takes what the gateway says; may throw when the protocol does not allow it. */
export type Listener = (message: Message) => void

/** What a WebSocket is opened with. */
export type WebSocketOptions = {
  readonly subprotocol?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Offers to compress messages. */
  readonly deflates?: boolean
}

const connectTimeoutMs = 5000
const audioSocketConnectTimeoutMs = 2000
const goodbyeTimeoutMs = 5000
const mostBuffered = 2 ** 20
const drainPollMs = 5
const orderlyCodes: readonly number[] = [1000, 1001, 1005]
const longestRefusal = 200

/**
 * Connects to a WebSocket.
 * @throws Error when the gateway does not answer within 5 s, refuses, or takes another subprotocol
 */
export async function openWebSocket(
  url: string,
  { subprotocol, headers = {}, deflates = false }: WebSocketOptions,
  listener: Listener,
): Promise<Connection> {
  const socket = new WebSocket(url, subprotocol === undefined ? [] : [subprotocol], {
    headers,
    perMessageDeflate: deflates,
    handshakeTimeout: connectTimeoutMs,
  })
  const state = createState(() => socket.terminate())
  socket.on('message', (data, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
    state.guard(() => listener(isBinary ? bytes : bytes.toString('utf8')))
  })
  socket.on('close', (code, reason) =>
    state.end(orderlyCodes.includes(code), `${code} ${reason.toString('utf8')}`.trimEnd()),
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.on('error', (error) => reject(new Error(`${url}: ${error.message}`)))
    socket.once('unexpected-response', (_, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('close', () => {
        const body = Buffer.concat(chunks).toString('utf8').slice(0, longestRefusal)
        reject(new Error(`${url}: refused with ${response.statusCode} ${body}`))
        socket.terminate()
      })
    })
  })
  return state.connection({
    send: (message) => socket.send(message),
    buffered: () => socket.bufferedAmount,
    finish: () => socket.close(1000),
  })
}

/**
 * Connects to a TCP port as Asterisk does: within 2 s, each message written at once.
 * @throws Error when nobody takes the connection
 */
export async function openTcp(host: string, port: number, listener: Listener): Promise<Connection> {
  const socket = connect({ host, port, noDelay: true })
  const state = createState(() => socket.destroy())
  let failure = ''
  socket.on('data', (data) => state.guard(() => listener(data)))
  socket.on('close', () => state.end(failure === '', failure || 'it was closed'))
  await new Promise<void>((resolve, reject) => {
    const timeout = setTimeout(
      () => socket.destroy(new Error('no connection within 2 s')),
      audioSocketConnectTimeoutMs,
    )
    socket.once('connect', () => {
      clearTimeout(timeout)
      resolve()
    })
    socket.on('error', (error: Error & { code?: string }) => {
      clearTimeout(timeout)
      failure = error.message || String(error.code)
      reject(new Error(`${host}:${port}: ${failure}`))
    })
  })
  return state.connection({
    send: (message) => socket.write(message),
    buffered: () => socket.writableLength,
    finish: () => socket.end(),
  })
}

type Wire = {
  readonly send: (message: Message) => void
  readonly buffered: () => number
  readonly finish: () => void
}

/** What WebSocket and TCP have in common: how a connection ended, and whose fault it was. */
function createState(terminate: () => void) {
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>()
  let violation: unknown
  let ending: { readonly isOrderly: boolean; readonly how: string } | undefined
  /** What is heard before whoever connects has the connection in hand. */
  let early: (() => void)[] | undefined = []

  function throwFault(mayHaveEnded: boolean): void {
    if (violation !== undefined) throw violation
    if (ending === undefined || (mayHaveEnded && ending.isOrderly)) return
    throw new Error(`the gateway ended the connection: ${ending.how}`)
  }

  function guard(listen: () => void): void {
    if (early !== undefined) {
      early.push(listen)
      return
    }
    try {
      listen()
    } catch (error) {
      violation ??= error
      terminate()
    }
  }

  function hearEarly(): void {
    const heard = early ?? []
    early = undefined
    for (const listen of heard) guard(listen)
  }

  return {
    guard,
    end: (isOrderly: boolean, how: string) => {
      ending ??= { isOrderly, how }
      resolveEnded()
    },
    connection: ({ send, buffered, finish }: Wire): Connection => {
      setImmediate(hearEarly)
      return {
        ended,
        send: (message) => {
          throwFault(false)
          send(message)
        },
        waitFor: async (event, milliseconds, otherwise) => {
          let timer: NodeJS.Timeout | undefined
          const late = new Promise<never>((_, reject) => {
            timer = setTimeout(() => reject(new Error(otherwise)), milliseconds)
          })
          const gone = ended.then(() => throwFault(false))
          await Promise.race([event, gone, late]).finally(() => clearTimeout(timer))
        },
        drained: async () => {
          while (buffered() > mostBuffered && ending === undefined)
            await new Promise((resolve) => setTimeout(resolve, drainPollMs))
        },
        close: async () => {
          throwFault(true)
          if (ending === undefined) finish()
          const timeout = setTimeout(terminate, goodbyeTimeoutMs)
          await ended
          clearTimeout(timeout)
          if (violation !== undefined) throw violation
        },
        cut: terminate,
      }
    },
  }
}
