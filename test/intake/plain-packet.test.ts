// The short way to read a packet of JSON: it agrees with the parser and the schema, or leaves it to them.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MalformedJson, parseJson } from '../../src/border/json.ts'
import { compileCheck } from '../../src/border/validation.ts'
import {
  packetOf,
  StreamedPacketBody,
  type StreamedPacketFields,
} from '../../src/intake/packet-body.ts'
import { readPlainPacket } from '../../src/intake/plain-packet.ts'
import { contentOf } from '../support/calls.ts'

const check = compileCheck(StreamedPacketBody)

/** By the parser and the schema; undefined for what is no packet. */
function readInTheUsualWay(text: string) {
  let fields: StreamedPacketFields & { readonly type?: unknown }
  try {
    fields = parseJson(Buffer.from(text)) as typeof fields
  } catch (error) {
    assert.ok(error instanceof MalformedJson, String(error))
    return undefined
  }
  if (check(fields) !== undefined) return undefined
  if (fields.type !== undefined && fields.type !== 'packet') return undefined
  return contentOf(packetOf(fields.call_id ?? 'call', fields.track ?? 'mixed', fields))
}

function readPlainly(text: string | Buffer, from?: number, to?: number) {
  const packet = readPlainPacket(Buffer.from(text), 'call', 'mixed', from, to)
  return packet && contentOf(packet)
}

const blanks = fc.stringMatching(/^[ \t\r\n]{0,2}$/)
const number = fc.oneof(
  fc.maxSafeNat().map(String),
  fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }).map(String),
  fc.stringMatching(/^[0-9]{1,20}(\.[0-9]{1,20})?$/),
  fc.constantFrom(
    '1732147200.02',
    '0',
    '-0',
    '-1',
    '1e3',
    '00',
    '1.',
    '.5',
    'null',
    '9007199254740993',
  ),
)
const text = fc.oneof(
  fc.base64String({ minLength: 1 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((value) => `"${value}"`),
)
const member = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('sequence', 'timestamp'), number) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('data'), text) },
  fc.tuple(fc.constant('track'), fc.constantFrom('"inbound"', '"outbound"', '"both"', '1')),
  fc.tuple(fc.constant('call_id'), fc.constantFrom('"call-7"', '"history"', '"a b"', '""', '7')),
  fc.tuple(fc.constant('type'), fc.constantFrom('"packet"', '"open"', 'null', '1')),
  fc.tuple(fc.constantFrom('sequence', 'data', 'timestamp', 'more', ''), fc.oneof(number, text)),
)
const members = fc.oneof(
  fc.tuple(number, text, number).map(([sequence, data, timestamp]): [string, string][] => [
    ['sequence', sequence],
    ['data', data],
    ['timestamp', timestamp],
  ]),
  fc.uniqueArray(member, { selector: ([key]) => key, maxLength: 6 }),
  fc.array(member, { maxLength: 6 }),
)
const written = fc
  .tuple(members, fc.array(blanks, { minLength: 8, maxLength: 8 }))
  .map(([all, [a, b, c, d, e, f, g, h]]) => {
    const inside = all.map(([key, value]) => `${a}"${key}"${b}:${c}${value}${d}`).join(`,${e}`)
    return `${f}{${inside}}${g}${h}`
  })
const broken = fc
  .tuple(written, fc.nat(), fc.constantFrom('', ',', '}', '"', '0', 'x', '\u0000', '\\'))
  .map(([whole, place, instead]) => {
    const at = place % (whole.length + 1)
    return whole.slice(0, at) + instead + whole.slice(at + 1)
  })

test('what is read plainly is what the parser and the schema make of it', () => {
  fc.assert(
    fc.property(fc.oneof(written, broken), (packet) => {
      const plain = readPlainly(packet)
      if (plain !== undefined) assert.deepEqual(plain, readInTheUsualWay(packet))
    }),
    { numRuns: 20_000 },
  )
})

test('what stands beside a packet is no part of it, and a part of a packet is not read on', () => {
  const beside = fc.stringMatching(/^[ \r\n{}",:0-9.a-z]{0,4}$/)
  fc.assert(
    fc.property(
      beside,
      fc.oneof(written, broken),
      beside,
      fc.nat(),
      (before, packet, after, cut) => {
        const bytes = Buffer.from(before + packet + after)
        const from = before.length
        const end = from + Buffer.byteLength(packet)
        for (const to of [end, from + (cut % (end - from + 1))])
          assert.deepEqual(readPlainly(bytes, from, to), readPlainly(bytes.subarray(from, to)))
      },
    ),
    { numRuns: 20_000 },
  )
})

suite('the usual spellings are read plainly', () => {
  const packet = { sequence: 7, data: 'UklGRg+/==', timestamp: 1732147200.02 }
  const cases: readonly (readonly [what: string, text: string])[] = [
    ['JSON.stringify', JSON.stringify(packet)],
    ['json.dumps', '{"sequence": 7, "data": "UklGRg+/==", "timestamp": 1732147200.0212345}'],
    ['lines and tabs', JSON.stringify(packet, undefined, '\t')],
    ['CRLF', '{\r\n"sequence": 7,\r\n"data": "x",\r\n"timestamp": 1\r\n}\r\n'],
    ['another order', '{"timestamp":1,"data":"x","sequence":7}'],
    [
      'all there is',
      JSON.stringify({ type: 'packet', call_id: 'a:1', track: 'inbound', ...packet }),
    ],
    ['packet 0', '{"sequence":0,"data":"x","timestamp":0.001}'],
    ['the highest sequence', '{"sequence":9007199254740991,"data":"x","timestamp":1}'],
    ['a whole number with a fraction', '{"sequence":7.0,"data":"x","timestamp":1.50}'],
    [
      'any printable ASCII',
      '{"sequence":7,"data":" !#$%&\'()*+,-./:;<=>?@[]^_`{|}~","timestamp":1}',
    ],
  ]
  for (const [what, packetText] of cases)
    test(what, () => {
      const plain = readPlainly(packetText)
      assert.notEqual(plain, undefined)
      assert.deepEqual(plain, readInTheUsualWay(packetText))
    })
})

test('numbers of any length are those of the parser', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[1-9][0-9]{0,24}(\.[0-9]{1,24})?$/), (timestamp) => {
      const plain = readPlainly(`{"sequence":1,"data":"x","timestamp":${timestamp}}`)
      assert.equal(plain?.timestamp, JSON.parse(timestamp))
    }),
    { numRuns: 20_000 },
  )
})
