// One connection of a PBX by WebSocket: its protocol hears the messages, and it is told when it may not go on.
import type { FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { longestMessage, messageTooBig, readMessages } from '../../border/web-socket-messages.ts'
import { MediaConnection, type MediaParts } from './connection.ts'
import { ProtocolViolation, type Receiver, type WebSocketProtocol } from './protocol.ts'
import type { TellRefusal } from './refusals.ts'

/** What a connection needs. */
export type MediaSocketOptions = {
  readonly parts: MediaParts
  readonly protocol: WebSocketProtocol
  readonly socket: WebSocket
  readonly request: Pick<FastifyRequest, 'url' | 'headers'>
  readonly onRefused: TellRefusal
  /** Called when it begins a stream. */
  readonly onStarted: (own: MediaSocket) => void
  /** Called when it is over. */
  readonly onOver: (own: MediaSocket) => void
}

/** How long a connection may say nothing of a call at first, in milliseconds. */
const silentMs = 10_000
/** How long the other end may take to answer a close frame. */
const closingMs = 2_000
/** Close codes of RFC 6455, 7.4.1, and its registry. */
const closeCodes = { done: 1000, violation: 1008, defect: 1011, restart: 1012 }
/** A close frame holds 125 bytes, two of them the code. */
const longestReason = 123

/** A connection. */
export class MediaSocket {
  readonly #options: MediaSocketOptions
  readonly #connection: MediaConnection
  readonly #receiver: Receiver | undefined
  readonly #silence: NodeJS.Timeout
  #refusal: string | undefined
  #isFinished = false
  #isAlive = true
  #wasIdle = false

  constructor(options: MediaSocketOptions) {
    const { parts, protocol, socket, onOver } = options
    this.#options = options
    this.#connection = new MediaConnection(parts, protocol.name)
    this.#silence = setTimeout(() => {
      if (!this.hasStarted) this.refuse(`No call began within ${silentMs / 1_000} s`)
    }, silentMs)
    socket.on('pong', () => {
      this.#isAlive = true
    })
    socket.on('close', (code) => {
      clearTimeout(this.#silence)
      onOver(this)
      void this.#finish(code)
    })
    socket.on('error', ({ message: reason }) =>
      parts.logger.debug({ protocol: protocol.name, reason }, 'a media connection broke'),
    )
    this.#receiver = this.#attempt(() => this.#connect())
    readMessages(socket, {
      longest: (isBinary) => (isBinary ? protocol.longestBinary : undefined) ?? longestMessage,
      take: (bytes, isBinary) => this.#take(bytes, isBinary),
      refuse: (reason) => this.refuse(reason, messageTooBig),
    })
  }

  /** True once it has begun a stream. */
  get hasStarted(): boolean {
    return this.#connection.hasStarted
  }

  /** Closes it for a reason; what else it says is not heard. */
  refuse(reason: string, code = closeCodes.violation): void {
    if (this.#refusal !== undefined) return
    this.#refusal = reason
    this.#options.onRefused(this.#options.protocol.name, reason)
    this.#close(code, reason)
  }

  /**
   * Cuts it off if nothing was heard of it since the last time, closes it if its call has been over for that long,
   * and asks for a sign of life.
   */
  check(): void {
    const { socket } = this.#options
    if (!this.#isAlive) socket.terminate()
    this.#isAlive = false
    const isIdle = this.hasStarted && this.#connection.isIdle
    if (isIdle && this.#wasIdle) this.#close(closeCodes.done, 'The call is over')
    this.#wasIdle = isIdle
    if (socket.readyState === socket.OPEN) socket.ping()
  }

  /** Ends its streams where they are, and closes it when that is stored: the gateway stops. */
  async retire(): Promise<void> {
    await this.#finish(closeCodes.restart)
    this.#close(closeCodes.restart, 'the gateway restarts')
  }

  #connect(): Receiver {
    const { protocol, socket, request, onStarted } = this.#options
    return protocol.connect({
      query: new URL(request.url, 'ws://gateway').searchParams,
      headers: request.headers,
      keep: (payload) => this.#connection.keep(payload),
      start: (start) => {
        onStarted(this)
        return this.#connection.start(start)
      },
      send: (message) => {
        if (socket.readyState === socket.OPEN) socket.send(message)
      },
      close: (reason) => this.#close(closeCodes.done, reason),
    })
  }

  #take(bytes: Buffer, isBinary: boolean): void {
    this.#isAlive = true
    this.#attempt(() =>
      isBinary ? this.#receiver?.binary(bytes) : this.#receiver?.text(bytes.toString()),
    )
  }

  async #finish(code: number): Promise<void> {
    if (!this.#isFinished) this.#attempt(() => this.#receiver?.closed?.())
    this.#isFinished = true
    const reason = this.#refusal
    await this.#connection.over({ code, ...(reason === undefined ? {} : { reason }) })
  }

  #attempt<T>(step: () => T): T | undefined {
    try {
      return step()
    } catch (error) {
      if (error instanceof ProtocolViolation) this.refuse(error.message)
      else {
        const { parts, protocol } = this.#options
        parts.logger.error({ err: error, protocol: protocol.name }, 'a message failed: a defect')
        this.refuse('Internal error', closeCodes.defect)
      }
      return undefined
    }
  }

  #close(code: number, reason: string): void {
    const { socket } = this.#options
    socket.close(code, shorten(reason))
    setTimeout(() => socket.terminate(), closingMs).unref()
  }
}

function shorten(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= longestReason
    ? reason
    : bytes
        .subarray(0, longestReason)
        .toString()
        .replace(/\ufffd$/, '')
}
