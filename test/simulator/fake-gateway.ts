// A small gateway over real HTTP that keeps the contract's ledger in memory; honest unless told to misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { writeMissing } from '../../src/simulator/account.ts'

export type FakeGatewayOptions = {
  /** This packet of every call is acknowledged and forgotten. */
  readonly forget?: number
  /** This packet of every call is answered 422. */
  readonly refuse?: number
  /** Every so many requests one gets a 503, and one a broken connection. */
  readonly disturbEvery?: number
  /** How often a completed call is read before it is archived; default 1. */
  readonly readsUntilArchived?: number
}

type FakeCall = { stored: Set<number>; completed: boolean; reads: number }

export type FakeGateway = AsyncDisposable & {
  readonly url: string
  readonly calls: ReadonlyMap<string, FakeCall>
}

export async function startFakeGateway(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
  const calls = new Map<string, FakeCall>()
  let requests = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    requests += 1
    const { disturbEvery } = options
    if (disturbEvery !== undefined && requests % disturbEvery === 0)
      return reply(response, 503, { detail: 'overloaded' }, { 'retry-after': '1' })
    if (disturbEvery !== undefined && requests % disturbEvery === 1 && requests > 1) {
      request.socket.destroy()
      return
    }
    const [, kind, id] = /^\/(health|v1\/call\/stream|v1\/call\/complete|v1\/call)\/?(.*)$/.exec(
      request.url?.split('?')[0] ?? '',
    ) ?? ['', '', '']
    if (kind === 'health') return reply(response, 200, { status: 'healthy' })
    if (id === undefined || id === '') return reply(response, 404, { detail: 'no such route' })
    if (kind === 'v1/call/stream') return takePacket(id, JSON.parse(body), response)
    const call = calls.get(id)
    if (call === undefined) return reply(response, 404, { detail: `Call ${id} not found` })
    if (kind === 'v1/call/complete') call.completed = true
    else if (call.completed) call.reads += 1
    reply(response, 200, describe(call))
  }

  function takePacket(
    id: string,
    packet: { sequence: number; data: string; timestamp: number },
    response: ServerResponse,
  ): void {
    const { sequence, data, timestamp } = packet
    const valid = Number.isSafeInteger(sequence) && data.length > 0 && timestamp > 0
    const call = calls.get(id) ?? { stored: new Set<number>(), completed: false, reads: 0 }
    calls.set(id, call)
    if (!valid || sequence === options.refuse) reply(response, 422, { detail: 'refused' })
    else if (call.completed) reply(response, 409, { detail: 'sealed' })
    else {
      if (sequence !== options.forget) call.stored.add(sequence)
      reply(response, 202, { status: 'accepted', sequence })
    }
  }

  function describe({ stored, completed, reads }: FakeCall): Record<string, unknown> {
    const highest = Math.max(...stored)
    const all = Array.from({ length: highest }, (_, index) => index + 1)
    const archived = completed && reads >= (options.readsUntilArchived ?? 1)
    return {
      status: archived ? 'ARCHIVED' : completed ? 'COMPLETED' : 'IN_PROGRESS',
      total_packets: stored.size,
      missing_packets: writeMissing(all.filter((sequence) => !stored.has(sequence))),
      transcription: archived ? 'Agent: Hello.\nCustomer: I am happy.' : null,
      sentiment: archived ? 'positive' : null,
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
