// Requests on one kept-alive connection, as bytes, and their answers one by one.
import { connect, type Socket } from 'node:net'
import { until } from './until.ts'

/** One answer; names of headers in lower case. */
export type RawAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A connection; it is cut at the end of the scope (`using`). */
export type RawExchange = Disposable & {
  readonly socket: Socket
  /** Writes pieces, each in a TCP segment of its own where the system lets it. */
  readonly write: (...pieces: (string | Buffer)[]) => Promise<void>
  /** The next answer. Rejects when the connection ended before it was whole. */
  readonly answer: () => Promise<RawAnswer>
  /** Everything that came and was not read as an answer yet. */
  readonly rest: () => string
  readonly isClosed: () => boolean
}

/** Opens a connection to a gateway. */
export function openExchange(url: string): RawExchange {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let heard = ''
  let isClosed = false
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    heard += text
  })
  socket.on('close', () => {
    isClosed = true
  })
  // A server may reset the connection while we still write; what was heard before counts.
  socket.on('error', () => {})

  function take(): RawAnswer | undefined {
    const end = heard.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [first = '', ...lines] = heard.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0)
    if (heard.length < bodyEnd) return undefined
    const body = Buffer.from(heard.slice(end + 4, bodyEnd), 'latin1').toString()
    heard = heard.slice(bodyEnd)
    return { status: Number(first.split(' ')[1]), headers, body }
  }

  return {
    socket,
    write: async (...pieces) => {
      for (const piece of pieces)
        await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    },
    answer: () =>
      until('an answer', () => {
        const answer = take()
        if (answer === undefined && isClosed) throw new Error(`closed after: ${heard}`)
        return answer
      }),
    rest: () => heard,
    isClosed: () => isClosed,
    [Symbol.dispose]: () => socket.destroy(),
  }
}
