// The hot path: a packet as the body of a plain POST, taken from the bytes of its connection and answered there. Node's
// and the framework's way costs more than everything else that a packet needs. What a sender asks besides about
// its calls is passed on, request by request; a connection on which anything else is asked, or more slowly, goes
// the usual way from then on, and is treated there in the same manner.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { refusalOf } from '../border/refusals.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import type { PacketIntake } from './packet-intake.ts'
import { type CallRequest, type PacketRequest, readRequest } from './packet-request.ts'

/** An answer of the usual way. */
export type UsualAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The usual way of a connection. */
export type UsualWay = {
  /** Answers one request. Rejects when the gateway is closing. */
  readonly ask: (request: Pick<CallRequest, 'method' | 'path'>) => Promise<UsualAnswer>
  /** Has the connection from now on, with all that has not been read from it. */
  readonly take: () => void
  /** Tells the client that it broke off in the middle of a request. */
  readonly refuse: () => void
}

/** Where new connections go first. */
export type Shortcut = {
  /** Takes a connection; the usual way gets it as soon as anything unusual is asked on it. */
  readonly take: (socket: Socket, usual: UsualWay) => void
  /** Closes every connection, at once or after the answer that it waits for. */
  readonly close: () => void
}

/** What the shortcut needs. */
export type PacketShortcutOptions = {
  readonly intake: Pick<PacketIntake, 'takeBytes'>
  /** How long a connection is kept on which nothing is asked, in milliseconds. */
  readonly keepAliveMs: number
  /** How long we wait for the rest of a request, in milliseconds. */
  readonly incompleteMs?: number
  readonly onError: (error: Error, code: ErrorCode) => void
}

/** How long we wait for a request, and for the rest of it: the usual way has limits and answers for the slow. */
const silentMs = 1_000
const usualIncompleteMs = 100

/** Builds the shortcut of `POST /v1/call/stream/{call_id}`. */
export function packetShortcut(options: PacketShortcutOptions): Shortcut {
  const connections = new Set<Connection>()
  let isClosing = false
  return {
    take: (socket, usual) => {
      if (isClosing) return usual.take()
      const connection = new Connection(socket, usual, options, () => {
        connections.delete(connection)
      })
      connections.add(connection)
    },
    close: () => {
      isClosing = true
      for (const connection of connections) connection.close()
    },
  }
}

class Connection {
  readonly #socket: Socket
  readonly #usual: UsualWay
  readonly #options: PacketShortcutOptions
  readonly #onGone: () => void
  /** The beginning of a request. */
  #beginning: Buffer | undefined
  #patience: NodeJS.Timeout | undefined
  /** A request is being answered; what comes meanwhile waits in the socket. */
  #isBusy = false
  #isFirst = true
  /** No further request is answered. */
  #isLast = false

  constructor(socket: Socket, usual: UsualWay, options: PacketShortcutOptions, onGone: () => void) {
    this.#socket = socket
    this.#usual = usual
    this.#options = options
    this.#onGone = onGone
    socket.on('data', this.#hear)
    socket.on('end', this.#end)
    socket.on('timeout', this.#tire)
    socket.on('error', this.#fail)
    socket.on('close', this.#forget)
    socket.setTimeout(silentMs)
  }

  close(): void {
    if (this.#isBusy) this.#isLast = true
    else if (this.#beginning !== undefined) this.#giveAway(this.#beginning)
    else this.#socket.destroySoon()
  }

  readonly #hear = (chunk: Buffer): void => {
    if (this.#isBusy) this.#putOff(chunk)
    else this.#read(this.#beginning === undefined ? chunk : Buffer.concat([this.#beginning, chunk]))
  }

  readonly #end = (): void => {
    if (this.#isBusy) this.#isLast = true
    else if (this.#beginning === undefined) this.#socket.end()
    else {
      this.#leave()
      this.#usual.refuse()
    }
  }

  readonly #tire = (): void => {
    if (this.#isFirst) this.#giveAway(this.#beginning)
    else if (!this.#isBusy) this.#socket.destroy()
  }

  /** The socket destroys itself; a client that was not answered asks again. */
  readonly #fail = (): void => {}

  readonly #forget = (): void => {
    clearTimeout(this.#patience)
    this.#onGone()
  }

  #putOff(bytes: Buffer): void {
    this.#socket.pause()
    this.#socket.unshift(bytes)
  }

  #read(bytes: Buffer): void {
    const request = readRequest(bytes)
    if (request === 'other') this.#giveAway(bytes)
    else if (request === 'incomplete') {
      this.#beginning = bytes
      const { incompleteMs = usualIncompleteMs } = this.#options
      this.#patience ??= setTimeout(() => this.#giveAway(this.#beginning), incompleteMs)
    } else {
      clearTimeout(this.#patience)
      this.#patience = undefined
      this.#beginning = undefined
      if (request.length < bytes.length) this.#putOff(bytes.subarray(request.length))
      if (this.#isFirst) this.#socket.setTimeout(this.#options.keepAliveMs)
      this.#isFirst = false
      this.#isBusy = true
      if (request.kind === 'packet') this.#take(request)
      else void this.#passOn(request)
    }
  }

  async #passOn(request: CallRequest): Promise<void> {
    try {
      const { status, headers, body } = await this.#usual.ask(request)
      this.#answer(status, body, 'utf8', headers)
    } catch (cause) {
      this.#refuse(new GatewayError('shutting_down', 'This gateway is shutting down', { cause }))
    }
  }

  #take({ callId, track, body }: PacketRequest): void {
    this.#options.intake.takeBytes(callId, track, body, {
      // There is nothing but ASCII in it, which as latin1 goes out without being looked at.
      accepted: (text) => this.#answer(202, text, 'latin1'),
      refused: (error) => this.#refuse(error),
    })
  }

  #refuse(error: Error): void {
    const { status, headers, body } = refusalOf(error)
    if (body.code !== undefined) this.#options.onError(error, body.code)
    this.#answer(status, JSON.stringify(body), 'utf8', headers)
  }

  #answer(
    status: number,
    body: string,
    encoding: 'latin1' | 'utf8',
    more: Readonly<Record<string, string>> = {},
  ): void {
    if (!this.#socket.writable) return
    let head =
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      'content-type: application/json; charset=utf-8\r\n' +
      `content-length: ${Buffer.byteLength(body, encoding)}\r\n`
    for (const [name, value] of Object.entries(more)) head += `${name}: ${value}\r\n`
    head += `Date: ${httpDate()}\r\n`
    head += this.#isLast
      ? 'Connection: close\r\n\r\n'
      : `Connection: keep-alive\r\nKeep-Alive: timeout=${this.#options.keepAliveMs / 1_000}\r\n\r\n`
    const isTaken = this.#socket.write(head + body, encoding)
    if (this.#isLast) this.#socket.destroySoon()
    else if (isTaken) this.#goOn()
    // A client that does not read its answers gets no more of them.
    else this.#socket.once('drain', this.#goOn)
  }

  readonly #goOn = (): void => {
    this.#isBusy = false
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  #leave(): void {
    const socket = this.#socket
    this.#forget()
    socket.off('data', this.#hear)
    socket.off('end', this.#end)
    socket.off('timeout', this.#tire)
    socket.off('close', this.#forget)
    socket.setTimeout(0)
  }

  #giveAway(bytes: Buffer | undefined): void {
    const socket = this.#socket
    this.#leave()
    socket.off('error', this.#fail)
    socket.pause()
    if (bytes !== undefined) socket.unshift(bytes)
    this.#usual.take()
    socket.resume()
  }
}

let dateSecond = 0
let date = ''

/** The time as in a `Date` header (RFC 9110, section 5.6.7), which is made once a second. */
function httpDate(): string {
  const now = Date.now()
  const second = Math.floor(now / 1_000)
  if (second !== dateSecond) {
    dateSecond = second
    date = new Date(now).toUTCString()
  }
  return date
}
