// Bodies that stop in the middle: the connection is taken from them, but for streams, which may pause.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { replyToClientError } from '../../src/http/error-replies.ts'
import { createServer as createGatewayServer } from '../../src/http/server.ts'
import { limitSlowBodies } from '../../src/http/slow-bodies.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { until } from '../support/until.ts'

/** A client that writes what it is told to and does not hang up by itself. */
function openClient(t: TestContext, server: Server) {
  const { port } = server.address() as AddressInfo
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const client = { socket, heard: '', isEnded: false, isClosed: false }
  socket.on('data', (chunk) => {
    client.heard += String(chunk)
  })
  socket.on('end', () => {
    client.isEnded = true
  })
  socket.on('close', () => {
    client.isClosed = true
  })
  // To be cut off is what it is here for.
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return client
}

function head(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: 'gateway', ...headers })
  return `POST /v1/call/stream/a HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`
}

const half = `${head({ 'content-length': '10' })}12345`

suite('a body that does not arrive within the limit', () => {
  /** A server that answers when it has read a body, after a while; its limit is short. */
  async function listen(t: TestContext, longestMs: number, answerAfterMs = 0): Promise<Server> {
    const server = createServer({ requestTimeout: 0 }, (request, response) => {
      request.resume()
      request.on('end', () => setTimeout(() => response.end('read'), answerAfterMs))
    })
    server.on('clientError', replyToClientError)
    limitSlowBodies(server, longestMs, ({ headers }) => headers['x-slow'] !== undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.close()
      server.closeAllConnections()
    })
    return server
  }

  test('is ended with a 408 that says why, and nobody else is', async (t) => {
    const server = await listen(t, 50)
    const stopped = openClient(t, server)
    stopped.socket.write(half)
    const chunked = openClient(t, server)
    chunked.socket.write(`${head({ 'transfer-encoding': 'chunked' })}5\r\n12345\r\n`)
    const slow = openClient(t, server)
    slow.socket.write(`${head({ 'content-length': '10', 'x-slow': '1' })}12345`)
    const idle = openClient(t, server)
    idle.socket.write(`${half}67890`)
    for (const client of [stopped, chunked]) {
      await until('the end', () => client.isEnded)
      const [headers, body = ''] = client.heard.split('\r\n\r\n')
      assert.match(headers ?? '', /^HTTP\/1\.1 408 Request Timeout\r\n/)
      assert.match(headers ?? '', /^connection: close$/im)
      assert.deepEqual(JSON.parse(body), {
        detail: 'The request did not arrive in time',
        code: 'malformed_request',
      })
    }
    slow.socket.write('67890')
    // The connection of a request that is over is as good as any.
    await until('the first answer', () => idle.heard.endsWith('read'))
    idle.socket.write(`${half}67890`)
    await until('two answers', () => idle.heard.split('200 OK').length === 3)
    await until('the answer to the slow one', () => slow.heard.includes('200 OK'))
  })

  test('is ended however busily its client goes on, and whether it hangs up or not', async (t) => {
    const server = await listen(t, 50)
    const client = openClient(t, server)
    client.socket.write(`${head({ 'content-length': '1000000' })}1`)
    const drip = setInterval(() => client.socket.write('1'), 20)
    t.after(() => clearInterval(drip))
    await until('the connection is closed', () => client.isClosed)
    assert.match(client.heard, /^HTTP\/1\.1 408 /)
    const connections = await new Promise((resolve) =>
      server.getConnections((_error, count) => resolve(count)),
    )
    assert.equal(connections, 0)
  })

  test('is not one that has arrived, however long the answer takes', async (t) => {
    const server = await listen(t, 50, 1_500)
    const client = openClient(t, server)
    client.socket.write(`${half}67890`)
    await until('the answer', () => client.heard.endsWith('read'))
    assert.match(client.heard, /^HTTP\/1\.1 200 /)
  })
})

suite('the server of the gateway', () => {
  const cases: readonly (readonly [type: string, pauseSeconds: number, status: number])[] = [
    ['application/json', 14, 200],
    ['application/json', 16, 408],
    ['text/plain', 16, 408],
    ['application/x-ndjson', 3_600, 200],
    ['application/x-ndjson; charset=utf-8', 3_600, 200],
    ['Application/X-NDJSON', 3_600, 200],
  ]
  for (const [type, pauseSeconds, status] of cases)
    test(`answers ${status} to ${type} that pauses for ${pauseSeconds} s`, async (t) => {
      let skippedMs = 0
      const clock = performance.now.bind(performance)
      t.mock.method(performance, 'now', () => clock() + skippedMs)
      t.mock.timers.enable({ apis: ['setInterval'] })
      let isHeard = false
      const logger = createLogger({ level: 'silent', pretty: false })
      const app = await createGatewayServer(logger, '0')
      app.addHook('onRequest', async ({ raw: request }, reply) => {
        isHeard = true
        reply.hijack()
        request.resume()
        request.on('end', () => reply.raw.end('read'))
      })
      app.post('/v1/call/stream/a', async () => {})
      t.after(() => app.close())
      await app.listen({ port: 0, host: '127.0.0.1' })
      const client = openClient(t, app.server)
      client.socket.write(`${head({ 'content-type': type, 'content-length': '10' })}12345`)
      await until('the request is there', () => isHeard)

      skippedMs = pauseSeconds * 1_000
      t.mock.timers.tick(1_000)
      client.socket.write('67890')
      await until('an answer', () => client.heard.includes('\r\n\r\n'))
      assert.match(client.heard, new RegExp(`^HTTP/1\\.1 ${status} `))
    })
})
