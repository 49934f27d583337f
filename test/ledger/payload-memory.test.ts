// Payloads that wait for their commit: each stays as it was as long as it is needed, and memory is used again then.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rangeOf } from '../../src/byte-range.ts'
import { PayloadMemory } from '../../src/ledger/payload-memory.ts'

const step = fc.record({
  size: fc.oneof(fc.nat(300), fc.nat(300), fc.nat(150_000)),
  /** How many of the kept are released after it, and from which on. */
  released: fc.nat(3),
  from: fc.nat(),
})

test('what is kept stays as it was until it is released, whatever is kept and released beside it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const payloads = new PayloadMemory()
      const kept: { memory: Buffer; start: number; expected: Buffer; release: () => void }[] = []
      for (const [nth, { size, released, from }] of steps.entries()) {
        const expected = Buffer.alloc(size, nth + 1)
        const start = payloads.keep(rangeOf(expected))
        const { piece } = payloads
        const release = () => payloads.release(piece, 1)
        kept.push({ memory: piece.memory, start, expected, release })
        for (const one of kept.splice(from % kept.length, released)) one.release()
        for (const one of kept) {
          const { length } = one.expected
          assert.ok(one.expected.equals(one.memory.subarray(one.start, one.start + length)))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('memory is used again: a queue that is always about as long takes no more', () => {
  const payloads = new PayloadMemory()
  const payload = rangeOf(Buffer.alloc(160))
  const kept: (typeof payloads.piece)[] = []
  const pieces = new Set<Buffer>()
  for (let packet = 0; packet < 100_000; packet += 1) {
    payloads.keep(payload)
    kept.push(payloads.piece)
    pieces.add(payloads.piece.memory)
    if (kept.length > 1_000) for (const piece of kept.splice(0, 500)) payloads.release(piece, 1)
  }
  // A thousand payloads are three pieces, which may begin and end in the midst of others.
  assert.ok(pieces.size <= 6, `${pieces.size} pieces`)
})
