// A connection that the primary has handed to a worker belongs to both until the worker says that it has it. When the
// worker dies before, node:cluster (seen in Node.js 24) holds it for ever, and its client waits as long; it should
// be closed, as those are that the worker had. What the two say to each other is not documented: if it changes,
// this does nothing, and test/faults/workers.test.ts tells.
import type { Worker } from 'node:cluster'

type InternalMessage = {
  readonly cmd: string
  readonly act?: string
  readonly seq?: number
  readonly ack?: number
}

/** Watches what goes to a worker; returns what is to be called after its death. */
export function watchConnections(worker: Worker): () => void {
  const onTheirWay = new Set<number>()
  const child = worker.process
  const { send } = child

  Object.defineProperty(child, 'send', {
    value: (...message: unknown[]) => {
      const { act, seq } = message[0] as Partial<InternalMessage>
      if (act === 'newconn' && seq !== undefined) onTheirWay.add(seq)
      return Reflect.apply(send, child, message)
    },
  })
  child.on('internalMessage', ({ ack }: InternalMessage) => {
    if (ack !== undefined) onTheirWay.delete(ack)
  })

  return () => {
    // Else it would be given the next one.
    worker.disconnect()
    for (const ack of onTheirWay)
      child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted: true })
  }
}
