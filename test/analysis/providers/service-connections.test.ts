// Connections to an AI service that fail below HTTP, and how long one is waited for.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createDeepgramTranscriber } from '../../../src/analysis/providers/deepgram.ts'
import { usualLimits } from '../../../src/analysis/providers/http-service.ts'
import { apiKey, failureOf, never, subjects } from '../../support/ai/service-clients.ts'
import { until } from '../../support/until.ts'

/** A server of bare connections; `serve` sees each. */
async function startBareServer(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('a connection that never stands is an outage, and is closed', async (t) => {
  let connection: Socket | undefined
  const port = await startBareServer(t, (socket) => {
    connection = socket.resume()
  })
  const limits = { connectSeconds: 0.05 }
  const ask = subjects['OpenAI mood']?.client(`https://127.0.0.1:${port}/v1`, limits)
  assert.ok(ask)
  const failure = await failureOf(undefined, ask('a'))
  assert.equal(failure.kind, 'outage')
  assert.match(failure.message, /: cannot be reached$/)
  await until('the connection is closed', () => connection?.readableEnded || connection?.destroyed)
})

test('a service that refuses an upload without reading it is heard, and its connection closed', async (t) => {
  const openSockets = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
  const port = await startBareServer(t, (socket) => {
    socket.write('HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n')
  })
  const before = openSockets()
  const service = createDeepgramTranscriber({ baseUrl: `http://127.0.0.1:${port}`, apiKey })
  const request = { idempotencyKey: 'a', audio: new Uint8Array(40_000_000), seconds: 2_500 }
  const failure = await failureOf(undefined, service.transcribe(request, never))
  assert.equal(failure.kind, 'permanent')
  // The one that is left is the server's, which has not read to the end.
  await until('our connection is closed', () => openSockets() <= before + 1)
})

test('the usual limits leave a slow machine time, and are finite', () => {
  for (const limit of Object.values(usualLimits)) assert.ok(limit > 0 && Number.isFinite(limit))
  assert.ok(usualLimits.totalSeconds >= usualLimits.requestSeconds)
})
