// Frames are written past `ws` on the server, so the judge is `ws` as a client: it refuses what RFC 6455 forbids.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import WebSocket, { WebSocketServer } from 'ws'
import { textFrame } from '../../src/feed/frame.ts'
import { until } from '../support/until.ts'

const lengths = [0, 1, 124, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000]
const texts = [
  ...lengths.map((length) => 'x'.repeat(length)),
  // Their lengths in bytes are others than in characters: 126 and 65,536 bytes.
  'é'.repeat(63),
  '😀'.repeat(16_384),
  '{"a":"\\u0000\u2028\u0001"}',
]

/** What a client of `ws` hears when a server writes something to its connection. */
async function heardOf(write: (request: IncomingMessage) => void): Promise<string[]> {
  await using stack = new AsyncDisposableStack()
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  stack.defer(() => void server.close())
  await once(server, 'listening')
  server.on('connection', (socket, request) => {
    write(request)
    socket.send('the end')
  })
  const { port } = server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  stack.defer(() => client.terminate())
  const heard: string[] = []
  let problem: Error | undefined
  client.on('message', (data, isBinary) => heard.push(isBinary ? 'binary' : String(data)))
  client.on('error', (error) => {
    problem = error
  })
  await until('the end, or an error', () => heard.at(-1) === 'the end' || problem !== undefined)
  if (problem !== undefined) throw problem
  return heard.slice(0, -1)
}

for (const text of texts)
  test(`a message of ${Buffer.byteLength(text)} bytes is heard as it is`, async () => {
    const heard = await heardOf(({ socket }) => socket.write(textFrame(text)))
    assert.deepEqual(heard, [text])
  })

test('the length is said in as few bytes as there must be', () => {
  const headers = [125, 126, 65_535, 65_536].map(
    (length) => textFrame('x'.repeat(length)).length - length,
  )
  assert.deepEqual(headers, [2, 4, 4, 10])
})

test('frames that are joined and cut anywhere are heard one by one', async () => {
  const all = Buffer.concat(texts.map(textFrame))
  const heard = await heardOf(({ socket }) => {
    for (let at = 0; at < all.length; at += 997) socket.write(all.subarray(at, at + 997))
  })
  assert.deepEqual(heard, texts)
})
