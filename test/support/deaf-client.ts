// A client of the feed on a bare socket that asks for the upgrade, hears the greeting and reads no further.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A client that does not read; its connection is cut at the end of the scope (`using`). */
export type DeafClient = Disposable & {
  readonly socket: Socket
  /** Reads what is left; resolves when the connection has ended, with the number of bytes. */
  readonly drain: () => Promise<number>
}

/** Connects as a client of that name. */
export async function connectDeaf(gatewayUrl: string, name: string): Promise<DeafClient> {
  const { hostname, port } = new URL(gatewayUrl)
  const socket = connect({ host: hostname, port: Number(port) })
  // To be cut off is what it is here for.
  socket.on('error', () => {})
  socket.write(
    `GET /ws/${name} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  let heard = ''
  while (!heard.includes('Welcome client')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    heard += chunk.toString('latin1')
  }
  socket.pause()
  return {
    socket,
    drain: async () => {
      let bytes = 0
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      socket.resume()
      if (!socket.closed) await once(socket, 'close')
      return bytes
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}
