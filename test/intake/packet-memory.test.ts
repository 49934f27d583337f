import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packetMemory } from '../../src/intake/packet-memory.ts'

test('what is kept stays as it was, of any size and however much is kept after it', () => {
  const part = fc.tuple(fc.nat({ max: 255 }), fc.oneof(fc.nat({ max: 300 }), fc.nat(150_000)))
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const kept = parts.map(([value, size]) => {
        const start = packetMemory.keep(Buffer.alloc(size + 7, value), 3, size + 3)
        return { memory: packetMemory.memory, start, expected: Buffer.alloc(size, value) }
      })
      for (const { memory, start, expected } of kept)
        assert.ok(expected.equals(memory.subarray(start, start + expected.length)))
    }),
    { numRuns: 200 },
  )
})
