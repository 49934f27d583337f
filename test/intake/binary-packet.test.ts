import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { InvalidInput, type ValidationProblem } from '../../src/border/validation.ts'
import { sizeOf } from '../../src/byte-range.ts'
import { readBinaryPacket } from '../../src/intake/binary-packet.ts'
import { contentOf } from '../support/calls.ts'
import { type Frame, frameOf } from '../support/packet-frames.ts'

const channels = new Map([[0, 'call']])
const names = ['mixed', 'inbound', 'outbound']

/** The problem with a frame; undefined when it is a packet. */
function problemOf(frame: Buffer): ValidationProblem | undefined {
  try {
    readBinaryPacket(frame, channels)
    return undefined
  } catch (error) {
    assert.ok(error instanceof InvalidInput, String(error))
    assert.equal(error.problems.length, 1)
    return error.problems[0]
  }
}

test('a frame is read as it was written, whatever its fields are', () => {
  fc.assert(
    fc.property(
      fc.record({
        track: fc.nat({ max: 2 }),
        channel: fc.nat({ max: 65_535 }),
        sequence: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1)),
        timestamp: fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
        media: fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      }),
      ({ track, media, channel, ...fields }) => {
        const calls = new Map([[channel, 'one of many']])
        const packet = readBinaryPacket(frameOf({ track, media, channel, ...fields }), calls)
        const expected = { ...fields, track: names[track], encoding: 'binary', payload: media }
        assert.deepEqual(contentOf(packet), { callId: 'one of many', ...expected })
      },
    ),
    { numRuns: 1_000 },
  )
})

suite('a frame is refused by the name of the field', () => {
  const whole: Frame = { sequence: 7 }
  const cases: readonly (readonly [field: string, what: string, frame: Buffer])[] = [
    ['length', 'nothing', Buffer.alloc(0)],
    ['length', 'half a header', frameOf(whole).subarray(0, 10)],
    ['length', 'a header without media', frameOf({ ...whole, media: Buffer.alloc(0) })],
    ['version', '0', frameOf({ ...whole, version: 0 })],
    ['version', '2', frameOf({ ...whole, version: 2 })],
    ['version', 'text in a binary message', Buffer.from('{"sequence":1,"data":"x","timestamp":1}')],
    ['track', '3', frameOf({ ...whole, track: 3 })],
    ['track', '255', frameOf({ ...whole, track: 255 })],
    ['sequence', '2^53', frameOf({ sequence: 2n ** 53n })],
    [
      'sequence',
      '2^53 + 1, which is no number of JavaScript',
      frameOf({ sequence: 2n ** 53n + 1n }),
    ],
    ['sequence', '2^64 - 1', frameOf({ sequence: 2n ** 64n - 1n })],
    ['timestamp', '0', frameOf({ ...whole, timestamp: 0 })],
    ['timestamp', '-0', frameOf({ ...whole, timestamp: -0 })],
    ['timestamp', '-1', frameOf({ ...whole, timestamp: -1 })],
    ['timestamp', 'NaN', frameOf({ ...whole, timestamp: Number.NaN })],
    ['channel', 'one that was not opened', frameOf({ ...whole, channel: 1 })],
    ['timestamp', 'Infinity', frameOf({ ...whole, timestamp: Number.POSITIVE_INFINITY })],
  ]
  for (const [field, what, frame] of cases)
    test(`${field}: ${what}`, () => {
      const problem = problemOf(frame)
      assert.deepEqual(problem?.loc, ['body', field])
      assert.match(problem.msg, /^Input should be /)
      assert.doesNotThrow(() => JSON.stringify(problem))
    })
})

test('any bytes are either a packet that the ledger can store, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isNear) => {
      const frame = Buffer.from(bytes)
      // Else nearly all fail at the version.
      if (isNear && frame.length > 3) frame.writeUInt32BE(0x01010000, 0)
      if (problemOf(frame) !== undefined) return
      const packet = readBinaryPacket(frame, channels)
      const { sequence, timestamp, track } = packet
      assert.ok(Number.isSafeInteger(sequence) && sequence >= 0)
      assert.ok(timestamp > 0 && Number.isFinite(timestamp))
      assert.ok(names.includes(track) && sizeOf(packet) > 0)
    }),
    { numRuns: 2_000 },
  )
})
