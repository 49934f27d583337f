import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { perfectPlan } from '../../../src/simulator/plan.ts'
import { genesysProtocol } from '../../../src/simulator/protocols/genesys.ts'
import { messageSignature } from '../../../src/simulator/signatures.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import {
  bytesOf,
  countingVoices,
  jsonOf,
  only,
  recordWebSockets,
  sequencesOf,
  testCall,
} from './recorder.ts'

const callId = '30b0e395-84d3-4570-ac13-9a62d8f514c0'
const sessionId = 'e160e428-53e2-487c-977d-96989bf5c99d'

type ClientMessage = {
  readonly type: string
  readonly seq: number
  readonly parameters: Readonly<Record<string, unknown>>
}
type Say = (type: string, parameters?: object, change?: object) => void

/** Answers as a gateway does, or as told; `say` numbers the messages. */
function answering(
  answer: (message: ClientMessage, say: Say) => boolean | undefined = () => undefined,
) {
  let [seq, clientseq] = [0, 0]
  return {
    onMessage: (socket: WebSocket, text: string | Buffer) => {
      if (typeof text !== 'string') return
      const message: ClientMessage = JSON.parse(text)
      clientseq = message.seq
      const say: Say = (type, parameters = {}, change = {}) => {
        seq += 1
        const common = { version: '2', id: sessionId, type, seq, clientseq }
        socket.send(JSON.stringify({ ...common, parameters, ...change }))
      }
      if (answer(message, say) === true) return
      const { media } = message.parameters
      if (message.type === 'open') say('opened', { media: (media as object[]).slice(0, 1) })
      if (message.type === 'ping') say('pong')
      if (message.type === 'close') say('closed')
    },
  }
}

test('open, audio in stereo frames of 200 ms, pings, close: sequence and position in every message', async (t) => {
  const recorder = await recordWebSockets(t, answering())
  const call = testCall(t, recorder.url, {
    callId,
    streamId: sessionId,
    voices: countingVoices(55),
    parameters: { queue: 'sales' },
  })
  const tracks = await genesysProtocol().play(call)
  const all = Array.from({ length: 55 }, (_, index) => index + 1)
  assert.deepEqual(sequencesOf(tracks), { inbound: all, outbound: all })
  const socket = only(recorder)
  assert.equal(socket.path, '/media/genesys')
  assert.equal(socket.headers['audiohook-session-id'], sessionId)
  assert.equal(socket.headers.signature, undefined)
  const [open, ...others] = jsonOf(socket)
  const { participant, organizationId, ...parameters } = open?.parameters ?? {}
  assert.equal(organizationId, socket.headers['audiohook-organization-id'])
  assert.ok(participant !== undefined)
  assert.deepEqual(parameters, {
    conversationId: callId,
    media: [{ type: 'audio', format: 'PCMU', channels: ['external', 'internal'], rate: 8000 }],
    language: 'en-US',
    customConfig: { queue: 'sales' },
  })
  const common = { version: '2', id: sessionId }
  assert.deepEqual(
    { ...open, parameters: {} },
    { ...common, type: 'open', seq: 1, serverseq: 0, position: 'PT0S', parameters: {} },
  )
  assert.deepEqual(others, [
    { ...common, type: 'ping', seq: 2, serverseq: 1, position: 'PT1S', parameters: {} },
    {
      ...common,
      type: 'close',
      seq: 3,
      serverseq: others[1]?.serverseq,
      position: 'PT1.1S',
      parameters: { reason: 'end' },
    },
  ])
  const frames = bytesOf(socket)
  assert.deepEqual(
    frames.map(({ length }) => length),
    [3200, 3200, 3200, 3200, 3200, 1600],
  )
  assert.deepEqual([...(frames[0]?.subarray(0, 4) ?? [])], [1, 101, 1, 101])
  assert.deepEqual([...(frames[0]?.subarray(320, 322) ?? [])], [2, 102])
  assert.equal(await socket.closed, 1000)
})

test('what is lost is not sent, and the position goes on', async (t) => {
  const recorder = await recordWebSockets(t, answering())
  const lost = [3, ...Array.from({ length: 15 }, (_, index) => index + 11)]
  const voices = countingVoices(25)
  const plans = [perfectPlan(25, lost)]
  const change = { callId, streamId: sessionId, voices, plans }
  const tracks = await genesysProtocol().play(testCall(t, recorder.url, change))
  assert.equal(tracks[0]?.sequences.length, 9)
  const socket = only(recorder)
  assert.deepEqual(
    bytesOf(socket).map(({ length }) => length),
    [9 * 320],
  )
  assert.equal(jsonOf(socket).at(-1)?.position, 'PT0.5S')
})

test('paused: no audio, and afterwards the PBX says how much was discarded', async (t) => {
  let resume = () => {}
  const recorder = await recordWebSockets(
    t,
    answering(({ type }, say) => {
      resume = () => say('resume')
      if (type === 'ping') say('pause')
      return undefined
    }),
  )
  const clock = createVirtualClock()
  const started = clock.now()
  const said = (type: string) =>
    recorder.sockets.some((socket) => jsonOf(socket).some((message) => message.type === type))
  const until = async (type: string) => {
    while (!said(type)) await new Promise((resolve) => setImmediate(resolve))
  }
  // The call waits for the gateway to be heard: paused by the first ping, it is resumed after 1.5 s.
  const wait = async (seconds: number, signal: AbortSignal) => {
    await clock.wait(seconds, signal)
    if (clock.now() - started > 1.1) await until('paused')
    if (clock.now() - started < 1.5 || said('resumed')) return
    resume()
    await until('resumed')
  }
  const change = { callId, streamId: sessionId, voices: countingVoices(100) }
  await genesysProtocol().play(testCall(t, recorder.url, { ...change, clock: { ...clock, wait } }))
  const socket = only(recorder)
  const resumed = jsonOf(socket).find(({ type }) => type === 'resumed')?.parameters ?? {}
  const seconds = (duration: unknown) => Number(/^PT([\d.]+)S$/.exec(String(duration))?.[1])
  assert.equal(seconds(resumed.start), 1)
  assert.ok(seconds(resumed.discarded) >= 0.4)
  const audioSeconds = Buffer.concat(bytesOf(socket)).length / 2 / 8000
  assert.equal((audioSeconds + seconds(resumed.discarded)).toFixed(3), '2.000')
  assert.equal(jsonOf(socket).at(-1)?.position, 'PT2S')
})

test('the upgrade is signed with the client secret, for the public host', async (t) => {
  const recorder = await recordWebSockets(t, answering())
  const secret = 'TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU='
  const secrets = {
    publicUrl: 'https://audiohook.example.com:443/base',
    genesysApiKey: 'the-key',
    genesysClientSecret: secret,
  }
  const change = { callId, streamId: sessionId, secrets }
  await genesysProtocol().play(testCall(t, recorder.url, change))
  const { headers } = only(recorder)
  const input = String(headers['signature-input'])
  assert.match(
    input,
    /;keyid="the-key";nonce="[^"]{22,}";alg="hmac-sha256";created=1763683200;expires=1763683210$/,
  )
  const header = (name: string) => [name, String(headers[name])] as const
  const expected = messageSignature({
    components: [
      ['@request-target', '/base/media/genesys'],
      ['@authority', 'audiohook.example.com'],
      header('audiohook-organization-id'),
      header('audiohook-session-id'),
      header('audiohook-correlation-id'),
      header('x-api-key'),
    ],
    parameters: input.slice(input.indexOf(')') + 1),
    key: Buffer.from(secret, 'base64'),
  })
  assert.equal(headers.signature, expected.signature)
  assert.equal(headers['x-api-key'], 'the-key')
})

test('a probe names the null participant, and sends no audio', async (t) => {
  const recorder = await recordWebSockets(t, answering())
  const change = { callId, streamId: sessionId }
  const tracks = await genesysProtocol({ isProbe: true }).play(testCall(t, recorder.url, change))
  assert.deepEqual(tracks, [])
  const socket = only(recorder)
  const { participant } = jsonOf(socket)[0]?.parameters ?? {}
  assert.match(JSON.stringify(participant), /"id":"00000000-0000-0000-0000-000000000000"/)
  assert.equal(bytesOf(socket).length, 0)
})

const broken: readonly (readonly [name: string, answer: (say: Say) => void, message: RegExp])[] = [
  ['media not offered', (say) => say('opened', { media: [{ type: 'audio' }] }), /not offered/],
  ['a skipped number', (say) => say('opened', {}, { seq: 2 }), /received seq 2, expected 1/],
  ['a number of the future', (say) => say('opened', {}, { clientseq: 9 }), /clientseq 9, but sent/],
  ['another session', (say) => say('opened', {}, { id: callId }), /another version or session/],
  ['an unknown type', (say) => say('hello'), /no known type/],
  ['closed, unasked', (say) => say('closed'), /closed, which was not asked for/],
  [
    'a disconnect',
    (say) => say('disconnect', { reason: 'unauthorized', info: 'no' }),
    /disconnected the session: unauthorized no/,
  ],
]

for (const [name, answer, message] of broken)
  test(`a gateway that breaks the protocol is told: ${name}`, async (t) => {
    const open = answering(({ type }, say) => {
      if (type === 'open') answer(say)
      return type === 'open'
    })
    const recorder = await recordWebSockets(t, open)
    const change = { callId, streamId: sessionId }
    await assert.rejects(genesysProtocol().play(testCall(t, recorder.url, change)), message)
  })
