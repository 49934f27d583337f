// A PBX that sends each packet once, with many requests at once, and notes how and after how long it was answered.
import { Agent, request } from 'node:http'
import { outcomeOf, type PacketRequest } from './history.ts'
import type { Packet } from './sender.ts'

/** An answer to a packet. */
export type PacketAnswer = {
  /** Undefined: there was none. */
  readonly status: number | undefined
  readonly code: unknown
  readonly retryAfter: string | undefined
  readonly milliseconds: number
}

/** A client that writes down what it does. */
export type PacketClient = Disposable & {
  readonly history: readonly PacketRequest[]
  readonly send: (packet: Packet) => Promise<PacketAnswer>
  /** Sends all, so many at once. */
  readonly sendAll: (packets: readonly Packet[], atOnce: number) => Promise<PacketAnswer[]>
}

/** A gateway that hangs is as good as none. */
const answerTimeoutMs = 10_000

/** Opens no connection before the first request. */
export function createPacketClient(url: string): PacketClient {
  const history: PacketRequest[] = []
  const agent = new Agent({ keepAlive: true })

  async function send({ callId, sequence, data }: Packet): Promise<PacketAnswer> {
    const timestamp = sequence + 0.5
    const began = performance.now()
    const answer = await post(
      `${url}/v1/call/stream/${callId}`,
      JSON.stringify({ sequence, data, timestamp }),
    )
    const { status, body, retryAfter } = answer ?? {}
    const outcome = status === undefined ? 'unknown' : outcomeOf(status, body?.code)
    const duplicate = body?.duplicate === true
    history.push({ callId, sequence, data, timestamp, outcome, status, duplicate })
    return { status, code: body?.code, retryAfter, milliseconds: performance.now() - began }
  }

  type Reply = {
    readonly status: number
    readonly retryAfter: string | undefined
    readonly body: Record<string, unknown>
  }

  function post(target: string, json: string): Promise<Reply | undefined> {
    return new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(json),
      }
      const outgoing = request(target, { method: 'POST', agent, headers, timeout: answerTimeoutMs })
      outgoing.on('timeout', () => outgoing.destroy())
      outgoing.on('error', () => resolve(undefined))
      outgoing.on('response', (incoming) => {
        let text = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk) => {
          text += chunk
        })
        incoming.on('error', () => resolve(undefined))
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfter: incoming.headers['retry-after'],
            body: JSON.parse(text) as Reply['body'],
          }),
        )
      })
      outgoing.end(json)
    })
  }

  return {
    history,
    send,
    sendAll: async (packets, atOnce) => {
      const answers: PacketAnswer[] = []
      let next = 0
      const line = async () => {
        for (let packet = packets[next++]; packet !== undefined; packet = packets[next++])
          answers.push(await send(packet))
      }
      await Promise.all(Array.from({ length: atOnce }, line))
      return answers
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
