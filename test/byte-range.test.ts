import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concatenated, rangeOf, Scratch, sizeOf } from '../src/byte-range.ts'

test('ranges of any memory, wherever they are in it, are joined in their order', () => {
  const pieces = [Buffer.from('abcdefghij'), Buffer.from('0123456789')]
  const scratch = new Scratch()
  const range = fc
    .tuple(fc.constantFrom(...pieces), fc.nat({ max: 10 }), fc.nat({ max: 10 }))
    .map(([memory, one, other]) => ({
      memory,
      start: Math.min(one, other),
      end: Math.max(one, other),
    }))
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const bytes = ranges.reduce((sum, one) => sum + sizeOf(one), 0)
      assert.deepEqual(concatenated(ranges, bytes, scratch), Buffer.concat(ranges.map(bytesOf)))
    }),
    { numRuns: 5_000 },
  )
})

test('a range of bytes is all of them, also where they are a part of something', () => {
  const part = Buffer.from('abcdef').subarray(2, 4)
  for (const bytes of [part, new Uint8Array(part.buffer, part.byteOffset, part.length)])
    assert.equal(String(bytesOf(rangeOf(bytes))), 'cd')
})
