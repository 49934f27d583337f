// Throws at a protocol what it was never meant to hear: valid messages with wounds, random JSON, random bytes.
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { ProtocolViolation, type WebSocketProtocol } from '../../src/intake/media/protocol.ts'
import type { Random } from '../../src/random.ts'
import { connectFake, type FakeConnection } from './fake-peer.ts'
import { sized } from './soak.ts'

/** What to throw. */
export type Fuzz = {
  readonly protocol: WebSocketProtocol
  readonly random: Random
  /** A conversation that goes well: texts and audio, in order. */
  readonly valid: () => readonly (string | Buffer)[]
}

/** What came of it; both sorts must be met, or the fuzz does not reach into the protocol. */
export type Fuzzed = { readonly heard: number; readonly refused: number }

const messages = sized(20_000, 100_000)
const longestConversation = 20

/** Nothing but a {@link ProtocolViolation} may be thrown, and nothing heaps up that does not end with a connection. */
export function fuzzProtocol({ protocol, random, valid }: Fuzz): Fuzzed {
  mock.timers.enable({ apis: ['setTimeout'] })
  let heard = 0
  let refused = 0
  try {
    while (heard + refused < messages) {
      const query = random() < 0.3 ? randomQuery(random) : ''
      const connection = tryConnect(protocol, query)
      if (connection === undefined) {
        refused += 1
        continue
      }
      const conversation = valid()
      const length = 1 + Math.floor(random() * longestConversation)
      for (let index = 0; index < length; index += 1) {
        const isValid = random() < 0.6
        const next = conversation[index % conversation.length] ?? ''
        const message = isValid ? next : wound(random, next)
        if (isRefused(connection, message)) {
          refused += 1
          if (random() < 0.5) break
        } else heard += 1
        assert.ok(connection.keptBytes() < 256_000 + 2 ** 20, 'what is kept is bounded')
      }
      mock.timers.tick(random() < 0.5 ? 20_000 : 100)
      try {
        connection.receiver.closed?.()
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error
      }
      mock.timers.tick(20_000)
    }
  } finally {
    mock.timers.reset()
  }
  return { heard, refused }
}

function tryConnect(protocol: WebSocketProtocol, query: string): FakeConnection | undefined {
  try {
    return connectFake(protocol, { query })
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
}

function isRefused({ receiver }: FakeConnection, message: string | Buffer): boolean {
  try {
    if (typeof message === 'string') receiver.text(message)
    else receiver.binary(message)
    return false
  } catch (error) {
    if (error instanceof ProtocolViolation) return true
    throw new Error(`${JSON.stringify(String(message)).slice(0, 500)}: ${error}`, { cause: error })
  }
}

function pick<T>(random: Random, of: readonly T[]): T {
  return of[Math.floor(random() * of.length)] as T
}

/** A message that resembles another one. */
function wound(random: Random, message: string | Buffer): string | Buffer {
  const kind = random()
  if (kind < 0.15) return Buffer.from(randomBytes(random, 400))
  if (kind < 0.3) return JSON.stringify(randomValue(random, 3))
  if (kind < 0.4) return Buffer.from(randomBytes(random, 60)).toString('latin1')
  if (typeof message !== 'string') return message.subarray(0, Math.floor(random() * 40))
  if (kind < 0.6 || !message.startsWith('{')) {
    const at = Math.floor(random() * message.length)
    const length = Math.floor(random() * 4)
    return (
      message.slice(0, at) +
      pick(random, ['', '"', '{', '9', '\0', '\ud800', ',']) +
      message.slice(at + length)
    )
  }
  return JSON.stringify(exchange(random, JSON.parse(message) as unknown))
}

/** One value, somewhere, exchanged for another. */
function exchange(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return randomValue(random, 2)
  if (Array.isArray(value))
    return value.map((one) => (random() < 0.5 ? exchange(random, one) : one))
  const chosen = pick(random, Object.keys(value))
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      name !== chosen ? [[name, inner]] : random() < 0.2 ? [] : [[name, exchange(random, inner)]],
    ),
  )
}

const words = [
  '',
  'dtmf',
  'open',
  'close',
  'stereo',
  '__proto__',
  'constructor',
  'PT1S',
  'PT999999S',
  '16000',
  'a\0b',
]

function randomValue(random: Random, depth: number): unknown {
  const kind = random()
  if (kind < 0.2) return pick(random, words)
  if (kind < 0.3) return pick(random, [0, -1, 1e308, 2 ** 53, 0.5, 8000, 3])
  if (kind < 0.4) return pick(random, [null, true, false])
  if (kind < 0.5 || depth === 0) return Buffer.from(randomBytes(random, 30)).toString('latin1')
  const length = Math.floor(random() * 4)
  if (kind < 0.65) return Array.from({ length }, () => randomValue(random, depth - 1))
  return Object.fromEntries(
    Array.from({ length }, () => [
      pick(random, [
        'event',
        'type',
        'digit',
        'dtmf',
        'callId',
        'track',
        '__proto__',
        'parameters',
      ]),
      randomValue(random, depth - 1),
    ]),
  )
}

function randomBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * most) }, () => random() * 256)
}

function randomQuery(random: Random): string {
  const names = ['rate', 'mix', 'callId', 'track', 'uuid', '__proto__']
  const values = ['16000', '8k', 'stereo', 'mono', 'inbound', 'x', '', '%00', '-1', 'call-1']
  return Array.from({ length: 3 }, () => `${pick(random, names)}=${pick(random, values)}`).join('&')
}
