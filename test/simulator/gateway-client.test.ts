import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createGatewayClient } from '../../src/simulator/gateway-client.ts'
import { createVirtualClock } from './virtual-clock.ts'

const packet = { sequence: 1, data: 'AAAA', timestamp: 1 }

/** A client of a server that answers as told, and the seconds it waited between its requests. */
async function connect(t: TestContext, listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const clock = createVirtualClock()
  const waits: number[] = []
  const interruption = new AbortController()
  const client = createGatewayClient({
    url: `http://127.0.0.1:${port}/base/`,
    clock: {
      now: clock.now,
      wait: async (seconds, signal) => {
        waits.push(seconds)
        await clock.wait(seconds, signal)
      },
    },
    random: () => 1 - 2 ** -32,
    signal: interruption.signal,
  })
  t.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, waits, interruption }
}

test('a packet goes to its call as JSON, below the base URL, with how it is coded', async (t) => {
  let seen = ''
  const { client } = await connect(t, async (request, response) => {
    const body = (await request.toArray()).join('')
    seen = `${request.method} ${request.url} ${request.headers['content-type']} ${body}`
    response.writeHead(202).end()
  })
  await client.sendPacket('CA-1', packet)
  assert.equal(
    seen,
    'POST /base/v1/call/stream/CA-1?encoding=PCMU application/json {"sequence":1,"data":"AAAA","timestamp":1}',
  )
})

test('Retry-After is honoured, and without it the pauses double', async (t) => {
  const retryAfter = [undefined, undefined, undefined, '7']
  const { client, waits } = await connect(t, (_request, response) => {
    if (retryAfter.length === 0) response.writeHead(202).end()
    else {
      const seconds = retryAfter.shift()
      response.writeHead(503, seconds === undefined ? {} : { 'retry-after': seconds }).end()
    }
  })
  await client.sendPacket('call', packet)
  assert.deepEqual(
    waits.map((seconds) => Number(seconds.toFixed(6))),
    [0.1, 0.2, 0.4, 7],
  )
})

test('a broken connection is tried again', async (t) => {
  let requests = 0
  const { client } = await connect(t, (request, response) => {
    requests += 1
    if (requests < 3) request.socket.destroy()
    else response.writeHead(202).end()
  })
  await client.sendPacket('call', packet)
  assert.equal(requests, 3)
})

test('a refusal is not tried again, and a 200 for a packet is no acknowledgement', async (t) => {
  const statuses = [409, 200]
  const { client, waits } = await connect(t, (_request, response) => {
    response.writeHead(statuses.shift() ?? 500).end('the answer')
  })
  await assert.rejects(client.sendPacket('a', packet), /stream\/a\S*: 409 the answer/)
  await assert.rejects(client.sendPacket('b', packet), /stream\/b\S*: 200 the answer/)
  assert.deepEqual(waits, [])
})

test('a call without its figures is no answer', async (t) => {
  const { client } = await connect(t, (_request, response) => {
    response.end('{"status":"ARCHIVED","total_packets":3}')
  })
  await assert.rejects(client.readCall('call'), /lacks status, total_packets or missing_packets/)
})

test('an interruption ends a request that is never answered', async (t) => {
  const { client, interruption } = await connect(t, () => interruption.abort())
  await assert.rejects(client.completeCall('call'), { name: 'AbortError' })
  await assert.rejects(client.completeCall('call'), { name: 'AbortError' })
})
