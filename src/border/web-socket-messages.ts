// Messages of a WebSocket, whole and no longer than its route allows: the server's own limit is that of the route
// with the longest ones.
import type { RawData, WebSocket } from 'ws'

/** The longest message where a route says nothing else, in bytes. */
export const longestMessage = 64 * 2 ** 10

/** The close code of a connection with a message that is too long (RFC 6455, 7.4.1). */
export const messageTooBig = 1009

/** How the messages of a socket are read. */
export type MessageReading = {
  /** In bytes; {@link longestMessage} unless given. */
  readonly longest?: (isBinary: boolean) => number
  readonly take: (bytes: Buffer, isBinary: boolean) => void
  /** Called for a message that is too long, with words for its sender; without it the socket is closed. */
  readonly refuse?: (reason: string) => void
}

/** Reads a socket until one of both ends closes it. */
export function readMessages(
  socket: WebSocket,
  {
    longest = () => longestMessage,
    take,
    refuse = (reason) => socket.close(messageTooBig, reason),
  }: MessageReading,
): void {
  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (socket.readyState !== socket.OPEN) return
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat([data].flat().map(toBuffer))
    const limit = longest(isBinary)
    if (bytes.length <= limit) take(bytes, isBinary)
    else refuse(`A message should have at most ${limit} bytes, but has ${bytes.length}`)
  })
}

function toBuffer(part: Buffer | ArrayBuffer): Buffer {
  return Buffer.isBuffer(part) ? part : Buffer.from(part)
}
