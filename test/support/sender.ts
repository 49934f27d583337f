// A PBX as a client of several gateways: kept-alive connections, every packet request written down. What it
// repeats, it repeats as our documentation asks clients to: when the connection broke and at a 503.
import { setTimeout as pause } from 'node:timers/promises'
import { createExchange, type Exchange } from '../../src/simulator/exchange.ts'
import { type History, outcomeOf, type PacketRequest } from './history.ts'

/** A packet to be sent. */
export type Packet = Pick<PacketRequest, 'callId' | 'sequence' | 'data'>

/** An answer with its parsed body; undefined when the connection broke. */
export type Answer = { readonly status: number; readonly body: Record<string, unknown> } | undefined

/** A client that writes down what it does. */
export type Sender = Disposable & {
  readonly history: History
  /** Sends a packet once, to one gateway. */
  readonly send: (url: string, packet: Packet) => Promise<PacketRequest>
  /** Sends a packet until it is acknowledged, by whichever gateway. */
  readonly deliver: (packet: Packet) => Promise<void>
  /** Completes a call, once, at one gateway. */
  readonly complete: (url: string, callId: string) => Promise<Answer>
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
  const exchanges = new Map<string, Exchange>()
  const { signal } = new AbortController()
  let turn = 0

  async function post(url: string, path: string, body?: unknown): Promise<Answer> {
    let exchange = exchanges.get(url)
    if (exchange === undefined) {
      exchange = createExchange(url)
      exchanges.set(url, exchange)
    }
    try {
      const { status, body: text } = await exchange.request('POST', path, body, signal)
      return { status, body: JSON.parse(text) as Record<string, unknown> }
    } catch {
      // Whatever broke the connection: nobody knows what became of the request.
      return undefined
    }
  }

  async function send(url: string, { callId, sequence, data }: Packet): Promise<PacketRequest> {
    const timestamp = sequence + 0.5
    const answer = await post(url, `v1/call/stream/${callId}`, { sequence, data, timestamp })
    const request: PacketRequest = {
      callId,
      sequence,
      data,
      timestamp,
      outcome: answer === undefined ? 'unknown' : outcomeOf(answer.status, answer.body['code']),
      status: answer?.status,
      duplicate: answer?.body['duplicate'] === true,
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

  const complete = (url: string, callId: string) => post(url, `v1/call/complete/${callId}`)

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
    [Symbol.dispose]: () => {
      for (const exchange of exchanges.values()) exchange.close()
    },
  }
}
