// Looks into a running gateway through Node's inspector: the product need not know.
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'

/** A gateway's heap, looked at from outside. */
export type Inspector = Disposable & {
  /** What the JavaScript heap holds, garbage included, in bytes. */
  readonly heapUsed: () => Promise<number>
  /** Collects the garbage first, so that what is left is what is held. */
  readonly heapHeld: () => Promise<number>
}

/** A port for `--inspect` that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port')
  return address.port
}

/** Connects to a process that was started with `--inspect=127.0.0.1:port`. */
export async function openInspector(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '')
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  const asked = new Map<number, (result: { result?: { value?: number } }) => void>()
  socket.on('message', (text) => {
    const answer = JSON.parse(String(text)) as {
      id: number
      result: { result?: { value?: number } }
    }
    asked.get(answer.id)?.(answer.result)
    asked.delete(answer.id)
  })
  let lastId = 0
  const ask = (method: string, params: object = {}) =>
    new Promise<{ result?: { value?: number } }>((resolve) => {
      lastId += 1
      asked.set(lastId, resolve)
      socket.send(JSON.stringify({ id: lastId, method, params }))
    })
  const heapUsed = async () => {
    const expression = 'process.memoryUsage().heapUsed'
    return (await ask('Runtime.evaluate', { expression })).result?.value ?? Number.NaN
  }
  return {
    heapUsed,
    heapHeld: async () => {
      // The second finds what finalisers of the first let go.
      for (let time = 0; time < 2; time += 1) {
        await ask('HeapProfiler.collectGarbage')
        await pause(50)
      }
      return heapUsed()
    },
    [Symbol.dispose]: () => socket.close(),
  }
}
