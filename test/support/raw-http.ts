// Requests that no well-behaved client library would send: bytes on a bare socket.
import { connect } from 'node:net'

/** An answer as it came over the wire. */
export type RawReply = {
  /** `undefined` when the server closed the connection without an answer. */
  readonly status: number | undefined
  readonly headers: string
  readonly body: string
}

/** How to behave after the last byte. */
export type RawOptions = {
  /** Half-close, as a client does that has died in the middle of its request. */
  readonly end?: boolean
}

/** Writes the pieces as they are and reads until the server closes the connection. */
export async function rawRequest(
  url: string,
  pieces: readonly (string | Buffer)[],
  { end = false }: RawOptions = {},
): Promise<RawReply> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A server that refuses a request may reset the connection while we still write.
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  const closed = new Promise((resolve) => socket.on('close', resolve))
  for (const piece of pieces) socket.write(piece)
  if (end) socket.end()
  await closed
  return parse(Buffer.concat(chunks).toString())
}

/** The head of a request; the connection ends with its answer. */
export function head(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries({ host: 'gateway', connection: 'close', ...headers })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`
}

function parse(text: string): RawReply {
  const split = text.indexOf('\r\n\r\n')
  if (split === -1) return { status: undefined, headers: '', body: '' }
  const headers = text.slice(0, split)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1])
  return { status, headers, body: text.slice(split + 4) }
}
