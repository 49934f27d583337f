// A network between a page and its gateway that can be cut and mended; the gateway lives on meanwhile.
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'

/** The network; it ends at the end of the scope (`await using`). */
export type CuttableLine = AsyncDisposable & {
  /** The address of the gateway behind it. */
  readonly url: string
  /** Ends all connections, and refuses new ones. */
  readonly cut: () => void
  readonly mend: () => void
}

/** Opens a line to a gateway. */
export async function openLine(gatewayUrl: string): Promise<CuttableLine> {
  const { hostname, port } = new URL(gatewayUrl)
  const ends = new Set<net.Socket>()
  let isCut = false

  function keep(socket: net.Socket, other: net.Socket): void {
    ends.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      ends.delete(socket)
      other.destroy()
    })
  }

  function cut(): void {
    isCut = true
    for (const end of ends) end.destroy()
  }

  const server = net.createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = net.connect(Number(port), hostname)
    keep(near, far)
    keep(far, near)
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => {
      isCut = false
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
