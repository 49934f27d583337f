// A client of the event stream, on the reply to its request.
import type { ServerResponse } from 'node:http'
import type { FeedFilter } from './filter.ts'

/** A client with more bytes than that unread is given nothing until it has read them. */
const mostUnreadBytes = 2 ** 18
/** A client that has to read before it is given more, and takes nothing for so long, is cut off. */
const patienceMs = 30_000
/** Time to read the last word, for a client that does not hang up by itself. */
const partingMs = 1_000

/** A client: what it wants and what it has got. */
export class StreamClient {
  readonly filter: FeedFilter | undefined
  /** The position up to which it was given everything it wants. */
  reached: number
  readonly #reply: ServerResponse

  constructor(reply: ServerResponse, filter: FeedFilter | undefined, reached: number) {
    this.#reply = reply
    this.filter = filter
    this.reached = reached
  }

  get isGone(): boolean {
    return this.#reply.destroyed || this.#reply.writableEnded
  }

  /** Writes; false: it has much to read, and is to be given nothing more before it is drained. */
  write(text: string | Buffer): boolean {
    if (this.isGone) return true
    this.#reply.write(text)
    return this.#reply.writableLength <= mostUnreadBytes
  }

  /** Writes what can be left out: nothing is kept for a client that does not read. */
  writeIfIdle(text: string): void {
    if (!this.isGone && !this.#reply.writableNeedDrain) this.#reply.write(text)
  }

  /** Resolves when it has read what it was given, or is gone. */
  async drained(): Promise<void> {
    const reply = this.#reply
    if (this.isGone || !reply.writableNeedDrain) return
    let unread = reply.writableLength
    const watch = setInterval(() => {
      if (reply.writableLength >= unread) reply.destroy()
      unread = reply.writableLength
    }, patienceMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    reply.once('drain', resolve).once('close', resolve)
    await promise
    clearInterval(watch)
    reply.off('drain', resolve).off('close', resolve)
  }

  /** Says why, to people who look at the stream, and ends it. */
  end(reason: string): void {
    if (this.isGone) return
    const { socket } = this.#reply
    this.#reply.end(`: ${reason}\n\n`, () => socket?.destroySoon())
    setTimeout(() => socket?.destroy(), partingMs).unref()
  }
}
