// A WebSocket client over a raw socket, which writes frames as they were built and reads what the server says.
import { connect, type Socket } from 'node:net'
import { pongFrame } from './frames.ts'

/** An open WebSocket. */
export type RawWebSocket = {
  readonly socket: Socket
  readonly close: () => void
}

/**
 * Opens one; rejects when the server refuses.
 * @param onText gets every text message
 * @param onClose called when the connection ends before `close`, with the reason
 */
export async function openWebSocket(
  port: number,
  path: string,
  onText: (text: string) => void,
  onClose: (reason: string) => void,
): Promise<RawWebSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const opened = Promise.withResolvers<void>()
  let open = false
  let closed = false
  let rest: Buffer | undefined

  function fail(reason: string): void {
    socket.destroy()
    if (closed) return
    closed = true
    if (open) onClose(reason)
    else opened.reject(new Error(`no WebSocket at ${path}: ${reason}`))
  }

  function read(chunk: Buffer): void {
    let received = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    if (!open) {
      const head = received.indexOf('\r\n\r\n')
      const status = received.toString('latin1', 0, Math.max(0, head))
      if (head === -1) rest = received
      else if (!status.startsWith('HTTP/1.1 101')) fail(status.split('\r\n')[0] ?? '')
      else {
        open = true
        opened.resolve()
        received = received.subarray(head + 4)
      }
      if (!open) return
    }
    let at = 0
    for (;;) {
      const size = frameSize(received, at)
      if (size === undefined || at + size.head + size.payload > received.length) break
      const payload = received.subarray(at + size.head, at + size.head + size.payload)
      at += size.head + size.payload
      if (size.opcode === 1) onText(payload.toString('latin1'))
      else if (size.opcode === 9) socket.write(pongFrame(payload))
      else if (size.opcode === 8)
        fail(`closed with ${payload.length > 1 ? payload.readUInt16BE() : 'no code'}`)
    }
    rest = at === received.length ? undefined : received.subarray(at)
  }

  socket.on('data', read)
  socket.on('error', (error) => fail(error.message))
  socket.on('close', () => fail('the connection ended'))
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await opened.promise
  return {
    socket,
    close: () => {
      closed = true
      socket.destroy()
    },
  }
}

/** What the head of a frame of the server says; undefined when it is not all there. */
function frameSize(
  bytes: Buffer,
  at: number,
): { readonly opcode: number; readonly head: number; readonly payload: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const opcode = bytes.readUInt8(at) & 15
  const length = bytes.readUInt8(at + 1) & 127
  if (length < 126) return { opcode, head: 2, payload: length }
  if (length === 127) throw new Error('the server sends a frame of more than 64 KiB')
  if (bytes.length < at + 4) return undefined
  return { opcode, head: 4, payload: bytes.readUInt16BE(at + 2) }
}
