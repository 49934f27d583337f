// A keep-alive connection that posts one request at a time over a raw socket, so that the client costs little.
import { connect, type Socket } from 'node:net'

/** What becomes of a request: its status, or 0 when the connection broke. */
export type OnAnswer = (status: number, body: string) => void

const headEnd = Buffer.from('\r\n\r\n')

/** One connection; it is opened anew by the next request after it broke. */
export class HttpSocket {
  readonly #port: number
  #socket: Socket | undefined
  #received: Buffer | undefined
  #onAnswer: OnAnswer | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Opens the connection, if it is not. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#open()
      socket.once('connect', () => resolve())
      socket.once('error', reject)
    })
  }

  /** Posts; only after the answer to the request before. */
  post(path: string, body: string, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    const socket = this.#socket ?? this.#open()
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    )
  }

  close(): void {
    this.#onAnswer = undefined
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    this.#received = undefined
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#answer(0, '')
    })
    return socket
  }

  #read(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk])
    this.#received = received
    const head = received.indexOf(headEnd)
    if (head === -1) return
    const length = /content-length: (\d+)/i.exec(received.toString('latin1', 0, head))?.[1]
    const end = head + headEnd.length + Number(length ?? 0)
    if (received.length < end) return
    this.#received = undefined
    this.#answer(
      Number(received.toString('latin1', 9, 12)),
      received.toString('latin1', head + 4, end),
    )
  }

  #answer(status: number, body: string): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.(status, body)
  }
}
