// What Twilio and its kin have in common: numbers, and whatever a stranger may send.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation, type WebSocketProtocol } from '../../../src/intake/media/protocol.ts'
import { fonoster } from '../../../src/intake/protocols/fonoster.ts'
import { plivo } from '../../../src/intake/protocols/plivo.ts'
import { telnyx } from '../../../src/intake/protocols/telnyx.ts'
import { twilio } from '../../../src/intake/protocols/twilio.ts'
import type { Random } from '../../../src/random.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { plivoMessages, telnyxMessages, twilioMessages } from '../../support/json-media.ts'
import { seededFor } from '../../support/seed.ts'
import { sized } from '../../support/soak.ts'

type Numbered = { readonly track: string; readonly number: number }

/** The numbers of a track of Telnyx, of which chunks come in this order. */
function numbersOf(...chunks: readonly number[]): number[] {
  const { receiver, said } = connectFake(telnyx)
  receiver.text(JSON.stringify(telnyxMessages.start('x')))
  for (const chunk of chunks)
    for (const track of ['inbound', 'outbound'] as const)
      receiver.text(JSON.stringify(telnyxMessages.media({ track, chunk, payload: Buffer.of(1) })))
  const packets = said.filter(([word]) => word === 'packet').map(([, packet]) => packet as Numbered)
  const of = (track: string) =>
    packets.filter((packet) => packet.track === track).map(({ number }) => number)
  assert.deepEqual(of('inbound'), of('outbound'))
  return of('inbound')
}

suite('the numbers of packets', () => {
  test('are the sender’s, in whatever order they come', () => {
    assert.deepEqual(numbersOf(1, 2, 3), [1, 2, 3])
    assert.deepEqual(numbersOf(2, 1, 4, 4, 3), [2, 1, 4, 4, 3])
    assert.deepEqual(numbersOf(500, 501), [500, 501])
  })

  test('begin with 1 where the sender begins with 0', () =>
    assert.deepEqual(numbersOf(0, 2, 1, 3), [1, 3, 2, 4]))

  test('are never those of another packet: a 0 that comes late has no place', () => {
    assert.deepEqual(numbersOf(1, 0, 2), [1, 2])
  })
})

type Kin = readonly [protocol: WebSocketProtocol, messages: readonly object[]]

const payload = Buffer.from('audio of a packet')
const kin: readonly Kin[] = [
  [
    twilio,
    [
      { event: 'connected', protocol: 'Call', version: '1.0.0' },
      twilioMessages.start('CA1', { customParameters: { callId: 'c', track: '' } }),
      twilioMessages.media({ track: 'inbound', chunk: 1, payload }),
      twilioMessages.dtmf('5'),
      { event: 'mark', streamSid: 'MZ1', mark: { name: 'm' } },
      twilioMessages.stop('CA1'),
    ],
  ],
  [
    fonoster,
    [
      twilioMessages.start('c1', { tracks: ['inbound'] }),
      twilioMessages.media({ track: 'inbound', chunk: 1, payload }),
      twilioMessages.stop('c1'),
    ],
  ],
  [
    telnyx,
    [
      telnyxMessages.start('t1', {
        custom_parameters: { track: 'outbound', byteOrder: 'big' },
        media_format: { encoding: 'L16', sample_rate: 16_000, channels: 1 },
      }),
      telnyxMessages.media({ track: 'outbound', chunk: 0, payload: Buffer.of(1, 2) }),
      { event: 'error', payload: { code: 100_002 } },
      telnyxMessages.stop(),
    ],
  ],
  [
    plivo,
    [
      plivoMessages.start('p1', {}, 'callId=order-7;track=inbound;a=1'),
      plivoMessages.start('p1', {}, '{"X-PH-callId":"order-7"}'),
      plivoMessages.media({ track: 'inbound', chunk: 7, payload }),
      { event: 'stop', streamId: '8' },
    ],
  ],
]

const oddities: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e300,
  2 ** 53,
  '',
  '0',
  '-1',
  '\0',
  '\ud800',
  'inbound',
  'both',
  'start',
  'media',
  'stop',
  '__proto__',
  'constructor',
  'a'.repeat(5_000),
  [],
  [[]],
  {},
  { toString: 1 },
  { length: -1 },
]

function pick<T>(random: Random, from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)]
  if (one === undefined) throw new RangeError('there is nothing to pick')
  return one
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** A message with something in it exchanged, left out or added, at a random depth. */
function mutate(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return pick(random, oddities)
  const entries = Object.entries(value)
  const chosen = Math.floor(random() * (entries.length + 1))
  if (chosen === entries.length)
    return { ...value, [textOf(pick(random, oddities))]: pick(random, oddities) }
  const changed = entries.flatMap(([name, inner], index) => {
    if (index !== chosen) return [[name, inner] as const]
    return random() < 0.2 ? [] : [[name, mutate(inner, random)] as const]
  })
  return Object.fromEntries(changed)
}

/** Its text, with some bytes exchanged, or cut off. */
function garble(text: string, random: Random): string {
  const bytes = Buffer.from(text)
  for (let left = Math.floor(random() * 4); left >= 0; left -= 1)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
  return bytes
    .subarray(0, random() < 0.3 ? Math.floor(random() * bytes.length) : undefined)
    .toString()
}

const mostMessages = sized(20_000, 100_000)

suite('a stranger may send anything: it is a word, nothing, or a violation with its reason', () => {
  for (const [protocol, messages] of kin)
    test(`to ${protocol.name}`, (t) => {
      const random = seededFor(t)
      const outcomes = { words: 0, violations: 0 }
      let connection = connectFake(protocol)
      for (let count = 0; count < mostMessages; count += 1) {
        const message = pick(random, messages)
        const kind = random()
        const text =
          kind < 0.2
            ? JSON.stringify(message)
            : kind < 0.75
              ? JSON.stringify(mutate(message, random) ?? null)
              : garble(JSON.stringify(message), random)
        try {
          connection.receiver.text(text)
        } catch (error) {
          assert.ok(error instanceof ProtocolViolation, `${String(error)} for ${text}`)
          assert.ok(error.message.length > 10 && error.message.length < 400, error.message)
          outcomes.violations += 1
        }
        for (const [word, of] of connection.said.splice(0)) {
          outcomes.words += 1
          if (word === 'packet') assertPacket(of as Numbered & { payload: Buffer; at: number })
          else if (word === 'start') assertStart(connection.starts.at(-1))
        }
        if (random() < 0.1) connection = connectFake(protocol)
      }
      t.diagnostic(JSON.stringify(outcomes))
      assert.ok(outcomes.words > 1_000 && outcomes.violations > 1_000)
    })
})

function assertPacket({
  track,
  number,
  at,
  payload: bytes,
}: Numbered & { payload: Buffer; at: number }): void {
  assert.ok(track === 'inbound' || track === 'outbound' || track === 'mixed')
  assert.ok(Number.isSafeInteger(number) && number >= 1 && number <= 2 ** 32)
  assert.ok(Number.isFinite(at) && at >= 0)
  assert.ok(bytes.length > 0)
}

function assertStart(start: unknown): void {
  const { callId, streamId, channels, metadata } = start as Record<string, string>
  assert.match(callId ?? '', /^[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}$/)
  assert.match(streamId ?? '', /^[!-~]{1,200}$/)
  assert.ok(channels?.length === 1 || channels?.length === 2)
  // What PostgreSQL would not keep.
  assert.doesNotMatch(JSON.stringify(metadata).replaceAll('\\\\', ''), /\\u0000|\\ud[89a-f]/i)
}
