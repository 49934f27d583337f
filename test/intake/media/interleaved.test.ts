// Interleaved audio, taken apart.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interleaved } from '../../../src/intake/media/interleaved.ts'
import { seededRandom } from '../../../src/random.ts'

function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map((part) => Buffer.from(part).toString())
}

test('two channels of one byte a sample come apart', () => {
  assert.deepEqual(texts(new Interleaved(2, 1).split(Buffer.from('AaBbCc'))), ['ABC', 'abc'])
})

test('two channels of two bytes a sample come apart', () => {
  assert.deepEqual(texts(new Interleaved(2, 2).split(Buffer.from('A1a1B2b2'))), ['A1B2', 'a1b2'])
})

test('one channel is passed on as it is, and not copied', () => {
  const payload = Buffer.from('A1B2')
  assert.equal(new Interleaved(1, 2).split(payload)[0], payload)
})

test('a sample that is cut in two waits for its other half', () => {
  const mono = new Interleaved(1, 2)
  assert.deepEqual(texts(mono.split(Buffer.from('A1B'))), ['A1'])
  assert.deepEqual(mono.split(Buffer.from('')), [])
  assert.deepEqual(texts(mono.split(Buffer.from('2C3'))), ['B2C3'])
})

test('any cuts of any audio give the same channels', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed)
    const [channels, bytes] = [1 + Math.floor(random() * 3), 1 + Math.floor(random() * 2)]
    const all = Uint8Array.from({ length: channels * bytes * 500 }, () => random() * 256)
    const whole = new Interleaved(channels, bytes).split(all)
    const interleaved = new Interleaved(channels, bytes)
    const pieces: Uint8Array[][] = Array.from({ length: channels }, () => [])
    for (let from = 0; from < all.length; ) {
      const length = Math.floor(random() * 20)
      const parts = interleaved.split(all.subarray(from, from + length))
      for (const [channel, part] of parts.entries()) pieces[channel]?.push(part)
      from += length
    }
    assert.deepEqual(
      pieces.map((piece) => Buffer.concat(piece)),
      whole.map((part) => Buffer.from(part)),
      `seed ${seed}`,
    )
  }
})
