// A client of the event stream over a raw socket, which reads nothing of an event but its position.
import { connect, type Socket } from 'node:net'

/** An open stream. */
export type RawEventStream = { readonly socket: Socket }

const idLine = '\nid: '
const ofEvent = '\nevent: '

/**
 * Opens one that resumes; rejects when the server refuses.
 * @param onEvent gets the position of every event
 * @param onClose called when the connection ends, with the reason
 */
export async function openEventStream(
  port: number,
  after: number,
  onEvent: (position: number) => void,
  onClose: (reason: string) => void,
): Promise<RawEventStream> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const opened = Promise.withResolvers<void>()
  let open = false
  let closed = false
  let rest = ''

  function fail(reason: string): void {
    socket.destroy()
    if (closed) return
    closed = true
    if (open) onClose(reason)
    else opened.reject(new Error(`no event stream: ${reason}`))
  }

  function read(chunk: Buffer): void {
    // Chunks of HTTP lie between, and never within a line that begins with an id.
    const text = rest + chunk.toString('latin1')
    const end = text.lastIndexOf('\n\n')
    rest = end === -1 ? text : text.slice(end)
    if (!open) {
      if (!text.includes('\r\n\r\n')) return
      open = text.startsWith('HTTP/1.1 200')
      if (open) opened.resolve()
      else fail(text.slice(0, text.indexOf('\r\n')))
    }
    for (let at = text.indexOf(idLine); at !== -1 && at < end; at = text.indexOf(idLine, at + 1)) {
      const line = text.indexOf('\n', at + 1)
      // A heartbeat has the id of the last event.
      if (text.startsWith(ofEvent, line)) onEvent(Number(text.slice(at + idLine.length, line)))
    }
  }

  socket.on('data', read)
  socket.on('error', (error) => fail(error.message))
  socket.on('close', () => fail('the connection ended'))
  socket.write(
    `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nLast-Event-ID: ${after}\r\n\r\n`,
  )
  await opened.promise
  return { socket }
}
