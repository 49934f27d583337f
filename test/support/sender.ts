// A PBX as a client of several gateways: kept-alive connections, every packet request written down.
// What it repeats, it repeats as our documentation asks clients to: when the connection broke and
// at a 503.
import { setTimeout as pause } from 'node:timers/promises'
import { type History, outcomeOf, type PacketRequest } from './history.ts'
import { type Answer, keepAlive } from './keep-alive.ts'

/** A packet to be sent. */
export type Packet = Pick<PacketRequest, 'callId' | 'sequence' | 'data'>

/** A client that writes down what it does. */
export type Sender = Disposable & {
  readonly history: History
  /** Sends a packet once, to one gateway. */
  readonly send: (url: string, packet: Packet) => Promise<PacketRequest>
  /** Sends a packet until it is acknowledged, by whichever gateway. */
  readonly deliver: (packet: Packet) => Promise<void>
  /** Completes a call, once, at one gateway. */
  readonly complete: (url: string, callId: string) => Promise<Answer | undefined>
  /** Completes a call, by whichever gateway. */
  readonly hangUp: (callId: string) => Promise<void>
}

const betweenTriesMs = 20
const patienceMs = 60_000

/**
 * Opens no connection before the first request.
 * @param urls the gateways that there are now; asked before every try
 */
export function createSender(urls: () => readonly string[]): Sender {
  const history: PacketRequest[] = []
  const connections = keepAlive()
  let turn = 0

  async function send(url: string, { callId, sequence, data }: Packet): Promise<PacketRequest> {
    const timestamp = sequence + 0.5
    const body = { sequence, data, timestamp }
    const answer = await connections.post(`${url}/v1/call/stream/${callId}`, body)
    const request: PacketRequest = {
      callId,
      sequence,
      data,
      timestamp,
      outcome: answer === undefined ? 'unknown' : outcomeOf(answer.status, answer.body.code),
      status: answer?.status,
      duplicate: answer?.body.duplicate === true,
    }
    history.push(request)
    return request
  }

  /** Tries one gateway after the other until one says yes; any answer but a 503 is a defect. */
  async function insist(
    what: string,
    attempt: (url: string) => Promise<number | undefined>,
  ): Promise<void> {
    const end = performance.now() + patienceMs
    while (performance.now() < end) {
      const there = urls()
      const url = there[turn++ % there.length]
      const status = url === undefined ? undefined : await attempt(url)
      if (status === 200 || status === 202) return
      if (status !== undefined && status !== 503) throw new Error(`${what}: ${status}`)
      await pause(betweenTriesMs)
    }
    throw new Error(`${what}: no gateway took it within ${patienceMs} ms`)
  }

  const complete = (url: string, callId: string) =>
    connections.post(`${url}/v1/call/complete/${callId}`)

  return {
    history,
    send,
    complete,
    deliver: (packet) =>
      insist(
        `packet ${packet.sequence} of ${packet.callId}`,
        async (url) => (await send(url, packet)).status,
      ),
    hangUp: (callId) =>
      insist(`completion of ${callId}`, async (url) => (await complete(url, callId))?.status),
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  }
}
