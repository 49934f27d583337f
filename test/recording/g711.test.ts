import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '../../src/recording/g711.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { raw, samplesOf, sox, withoutSox } from '../support/sox.ts'
import { assertSamples } from '../support/wav.ts'

const laws = [
  { name: 'u-law', decode: decodeMuLaw, encode: encodeMuLaw, silence: 0xff, twice: [0x7f] },
  { name: 'a-law', decode: decodeALaw, encode: encodeALaw, silence: 0xd5, twice: [] },
] as const
const codes = Uint8Array.from({ length: 256 }, (_, code) => code)
const samples = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768)

for (const { name, decode, encode, silence, twice } of laws)
  suite(name, () => {
    test('decodes every code as sox does', { skip: withoutSox }, () => {
      assert.deepEqual(decode(codes), samplesOf(sox(codes, raw(name), raw('signed'))))
    })

    test('is the same after it was linear, but for a second code of zero', () => {
      const again = encode(decode(codes))
      const changed = [...codes].filter((code) => again[code] !== code)
      assert.deepEqual(changed, twice)
    })

    test('codes every sample as sox does it or its neighbours', { skip: withoutSox }, () => {
      const judged = decode(sox(new Uint8Array(samples.buffer), raw('signed'), raw(name)))
      for (const [index, level] of decode(encode(samples)).entries())
        if (level !== judged[index])
          // It rounds to 13 or 14 bits before; the recommendation cuts off.
          assert.ok(judged.subarray(index - 4, index + 5).includes(level), `${samples[index]}`)
    })

    test('has silence', () => {
      assert.equal(encode(new Int16Array(1))[0], silence)
      assert.ok(Math.abs(decode(Uint8Array.of(silence))[0] ?? 1000) <= 8)
    })
  })

test('real speech decodes as by sox', { skip: withoutSox }, async () => {
  for (const { audio } of await loadRecordings()) {
    assertSamples(decodeMuLaw(audio), samplesOf(sox(audio, raw('u-law'), raw('signed'))))
    const aLaw = sox(audio, raw('u-law'), raw('a-law'))
    assertSamples(decodeALaw(aLaw), samplesOf(sox(aLaw, raw('a-law'), raw('signed'))))
  }
})
