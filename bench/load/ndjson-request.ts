// One long request with NDJSON in chunks, over a raw socket.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A chunked POST that is being written. */
export class NdjsonRequest {
  readonly #socket: Socket
  readonly #path: string
  readonly #answer = Promise.withResolvers<{ status: number; body: string }>()

  constructor(port: number, path: string) {
    this.#path = path
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    // Without a listener of its own a refusal would end the process before anybody waits for the answer.
    this.#answer.promise.catch(() => {})
    let received = ''
    this.#socket.on('data', (chunk) => {
      received += chunk.toString()
      const head = received.indexOf('\r\n\r\n')
      const length = /content-length: (\d+)/i.exec(received)?.[1]
      if (head === -1 || received.length < head + 4 + Number(length ?? 0)) return
      const body = received.slice(head + 4)
      this.#answer.resolve({ status: Number(received.slice(9, 12)), body })
    })
    this.#socket.on('error', this.#answer.reject)
    this.#socket.on('close', () => this.#answer.reject(new Error('the server ended the request')))
  }

  /** Connects; nothing is sent before the first write. */
  async open(): Promise<void> {
    await once(this.#socket, 'connect')
    this.#socket.cork()
    this.#socket.write(
      `POST ${this.#path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n',
    )
  }

  /** Writes chunks and resolves when the connection takes more; an answer ends the waiting. */
  async write(chunks: Buffer): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.#socket.write(chunks, () => resolve())
    })
    this.#socket.uncork()
    await Promise.race([written, this.#answer.promise])
  }

  /** Ends the request and returns the answer. */
  async finish(): Promise<{ status: number; body: string }> {
    this.#socket.uncork()
    this.#socket.write('0\r\n\r\n')
    const answer = await this.#answer.promise
    this.#socket.destroy()
    return answer
  }
}
