// A client of the feed on its WebSocket. Frames that are the same for everybody are written to its connection as
// they are, past `ws`, which sends the rest there: both write whole frames in one go, so they never mix.
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Logger } from '../telemetry/logger.ts'
import type { Subscriber } from './feed.ts'

/** What all clients share. */
export type ClientOptions = {
  readonly logger: Logger
  /** A client with more bytes than that unread is given no more events until it has read. */
  readonly maxBufferedBytes: number
}

/** The close code of a client that reads too slowly (RFC 6455 registry: "Try Again Later"). */
const tryAgainLater = 1013
/** A client that has to read before it is given more, and takes nothing for so long, is cut off. */
const patienceMs = 5_000

/** A client: the feed tells it of events, the routes answer it. */
export class Client implements Subscriber {
  readonly #options: ClientOptions
  readonly #socket: WebSocket
  readonly #connection: Socket
  readonly #name: string
  #alive = true
  #pingedAt = performance.now()

  /** @param connection the one that `socket` writes to */
  constructor(options: ClientOptions, socket: WebSocket, connection: Socket, name: string) {
    this.#options = options
    this.#socket = socket
    this.#connection = connection
    this.#name = name
  }

  deliver(frames: Buffer): boolean {
    // Nothing may follow the close frame: `ws` is not open any more when it sends it.
    if (!this.#isOpen()) return true
    this.#connection.write(frames)
    if (this.#connection.writableLength <= this.#options.maxBufferedBytes) return true
    this.#options.logger.debug(
      this.#unread(),
      'a client of the feed gets no more until it has read',
    )
    return false
  }

  async drained(): Promise<void> {
    const connection = this.#connection
    if (connection.closed || (this.#isOpen() && !connection.writableNeedDrain)) return
    let unread = connection.writableLength
    const watch = setInterval(() => {
      if (connection.writableLength >= unread) this.#cutOff()
      unread = connection.writableLength
    }, patienceMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    connection.once('drain', resolve).once('close', resolve)
    await promise
    clearInterval(watch)
    connection.off('drain', resolve).off('close', resolve)
  }

  fail(): void {
    this.#socket.close(tryAgainLater, 'try again')
  }

  /** Says something to this client alone; one that talks and does not read the answers is cut off. */
  say(message: string): void {
    if (!this.#isOpen()) return
    // Events leave room for answers to a client that is still reading a burst of them.
    if (this.#connection.writableLength > 2 * this.#options.maxBufferedBytes) this.#cutOff()
    else this.#socket.send(message)
  }

  /** When it was sent the last ping, or connected, by performance.now(). */
  get pingedAt(): number {
    return this.#pingedAt
  }

  /** Cuts off a client that did not answer the last ping, and sends the next. */
  ping(): void {
    if (!this.#alive) this.#socket.terminate()
    this.#alive = false
    this.#pingedAt = performance.now()
    if (this.#isOpen()) this.#socket.ping()
  }

  /** The last ping was answered. */
  heardPong(): void {
    this.#alive = true
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #unread(): { client_id: string; buffered_bytes: number } {
    return { client_id: this.#name, buffered_bytes: this.#connection.writableLength }
  }

  #cutOff(): void {
    if (!this.#isOpen()) return
    this.#options.logger.warn(
      this.#unread(),
      'a client of the feed reads too slowly and is cut off; it can resume by position',
    )
    this.#socket.close(tryAgainLater, 'reads too slowly; reconnect with ?after=')
    // The close frame waits behind what the client does not read.
    this.#socket.terminate()
  }
}
