import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashText, seededRandom } from '../src/random.ts'

const seed = fc.nat(2 ** 32 - 1)

test('the numbers are those of mulberry32', () => {
  const random = seededRandom(0)
  assert.deepEqual(
    [random(), random(), random()],
    [0.26642920868471265, 0.0003297457005828619, 0.2232720274478197],
  )
})

test('the same seed draws the same numbers, all from 0 to below 1', () => {
  fc.assert(
    fc.property(seed, (drawn) => {
      const [one, two] = [seededRandom(drawn), seededRandom(drawn)]
      for (let index = 0; index < 20; index += 1) {
        const number = one()
        assert.equal(number, two())
        assert.ok(number >= 0 && number < 1)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('neighbouring seeds draw different numbers', () => {
  for (let drawn = 0; drawn < 10_000; drawn += 1)
    assert.notEqual(seededRandom(drawn)(), seededRandom(drawn + 1)())
})

test('the numbers are spread evenly', () => {
  const random = seededRandom(7)
  const buckets = Array<number>(20).fill(0)
  for (let index = 0; index < 100_000; index += 1) {
    const bucket = Math.floor(random() * buckets.length)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  for (const count of buckets) assert.ok(count > 4_700 && count < 5_300, `${count} of 5000`)
})

test('a text has the hash of FNV-1a', () => {
  assert.equal(hashText(''), 0x811c9dc5)
  assert.equal(hashText('a'), 0xe40c292c)
  assert.equal(hashText('foobar'), 0xbf9cf968)
})

test('ids that differ in their last figure are spread evenly over two lanes', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `CALL-${index}`)
  const first = ids.filter((id) => hashText(id) % 2 === 0).length
  assert.ok(first > 4_500 && first < 5_500, `${first} of 10000`)
})
