import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { defaultSimulation, runSimulation, simulationExit } from '../../src/simulator/simulation.ts'
import { createVirtualClock } from './virtual-clock.ts'

type Media = { readonly track: string; readonly chunk: string }
type Message = { readonly event: string; readonly media?: Media }

/** A gateway for Twilio alone, that keeps the numbers of the packets; forgetful of some if told. */
async function startTwilioGateway(t: TestContext, forget: readonly string[] = []) {
  const calls = new Map<string, { chunks: Map<string, number[]>; stopped: boolean }>()
  const quality = (chunks: Map<string, number[]>) =>
    [...chunks].map(([track, numbers]) => {
      const distinct = new Set(numbers)
      const missing = Math.max(...numbers) - distinct.size
      const duplicate = numbers.length - distinct.size
      const figures = { received: distinct.size, duplicate, missing_count: missing }
      return { track, ...figures, missing_ms: missing * 20, gaps: [] }
    })
  const server = createServer((request, response) => {
    const [, id = '', isQuality] = /^\/v1\/call\/(\w+)(\/quality)?$/.exec(request.url ?? '') ?? []
    const call = calls.get(id)
    if (request.url === '/health') response.end('{}')
    else if (call === undefined) response.writeHead(404).end('{}')
    else if (isQuality !== undefined)
      response.end(JSON.stringify({ grade: 'A', lost_ms: 0, tracks: quality(call.chunks) }))
    else
      response.end(
        JSON.stringify({
          status: call.stopped ? 'ARCHIVED' : 'IN_PROGRESS',
          total_packets: 0,
          missing_packets: '',
          transcription: 'Agent: nothing that was said',
          sentiment: 'neutral',
        }),
      )
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    assert.equal(request.url, '/media/twilio')
    const call = { chunks: new Map<string, number[]>(), stopped: false }
    socket.on('message', (data) => {
      const message: Message & { start?: { callSid: string } } = JSON.parse(String(data))
      if (message.start !== undefined) calls.set(message.start.callSid, call)
      if (message.event === 'stop') call.stopped = true
      if (message.media === undefined || forget.includes(message.media.chunk)) return
      const { track, chunk } = message.media
      call.chunks.set(track, [...(call.chunks.get(track) ?? []), Number(chunk)])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}

async function run(t: TestContext, url: string, change = {}) {
  let text = ''
  const write = (part: string) => {
    text += part
  }
  const options = { ...defaultSimulation, url, protocol: 'twilio', calls: 1, seed: 3, ...change }
  const code = await runSimulation(options, { write }, t.signal, createVirtualClock())
  return { code, text }
}

test('a call by a media protocol: the loss account agrees, only the transcript does not', async (t) => {
  const { url, calls } = await startTwilioGateway(t)
  const { code, text } = await run(t, url)
  assert.equal(code, simulationExit.differs)
  assert.match(text, /of real speech to \S+ by twilio, at 1 × real time/)
  assert.match(text, /packets sent/)
  assert.doesNotMatch(text, /acknowledged|loss account/)
  assert.match(text, /! the transcript has \d of the \d+ longer words spoken/)
  const [[id, call] = []] = calls
  assert.match(String(id), /^CA[0-9a-f]{32}$/)
  assert.deepEqual([...(call?.chunks.keys() ?? [])].sort(), ['inbound', 'outbound'])
  assert.ok(text.includes(`${id}  `))
})

test('a gateway that forgets a packet is found out, on each track', async (t) => {
  const { url } = await startTwilioGateway(t, ['50'])
  const { text } = await run(t, url, { loss: 0 })
  assert.match(text, /! loss account differs: received of inbound is \d+, but was \d+/)
  assert.match(text, /! loss account differs: missing_ms of outbound is 20, but was 0/)
})

test('on a lossy line nobody expects the words', async (t) => {
  const { url } = await startTwilioGateway(t)
  const { code, text } = await run(t, url, { loss: 0.2 })
  assert.equal(code, simulationExit.agrees)
  assert.match(text, /All agrees: [\d,]+ packets sent, [\d,]+ dropped on the way; 1 of 1 calls are/)
})

test('without numbers a call is played in real time, or not at all', async (t) => {
  await assert.rejects(run(t, 'http://127.0.0.1:1', { protocol: 'vonage', rate: 2 }), {
    name: 'StartupError',
    message: /The packets of vonage have no numbers.* --rate must be 1/,
  })
})

test('a gateway without the protocol is told with its answer', async (t) => {
  const server = createServer((_, response) => response.end('{}'))
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, text } = await run(t, `http://127.0.0.1:${port}`)
  assert.equal(code, simulationExit.differs)
  assert.match(text.replace(/\s+/g, ' '), /media\/twilio: refused with 404/)
})
