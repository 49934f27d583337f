import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { encodings } from '../../src/ledger/media-format.ts'
import { type Codec, findCodec } from '../../src/recording/codecs.ts'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { opusSamples } from '../../src/recording/opus.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { opusSpeech } from '../support/opus.ts'

function codec(name: string): Codec {
  const found = findCodec(name)
  assert.ok(found !== undefined)
  return found
}

test('every encoding that a protocol can declare can be decoded', () => {
  for (const encoding of encodings) assert.ok(findCodec(encoding) !== undefined, encoding)
  assert.equal(findCodec('AMR-WB'), undefined)
  assert.equal(findCodec('constructor'), undefined)
})

test('linear samples are little-endian, and half a sample is dropped', async () => {
  const decoder = await codec('L16').open(16_000)
  const bytes = Uint8Array.of(0xaa, 0x01, 0x00, 0xff, 0x7f, 0x00, 0x80, 0x55).subarray(1)
  assert.deepEqual(decoder.decode(bytes), Int16Array.of(1, 32_767, -32_768))
  assert.equal(codec('L16').samplesOfSize?.(7), 3)
})

suite('G.722', () => {
  const bytes = Uint8Array.from({ length: 4_000 }, (_, i) => (Math.imul(i, i * 7 + 13) >>> 3) & 255)

  test('is decoded to the bit as by the reference of the recommendation', async () => {
    const decoder = await codec('G722').open(16_000)
    const samples = [bytes.subarray(0, 160), bytes.subarray(160)].map(decoder.decode)
    const hash = createHash('sha256')
    for (const part of samples) hash.update(new Uint8Array(part.buffer))
    assert.equal(
      hash.digest('hex'),
      '637ce8cb18223ee54d47e5e28fd0b9eb5dc15c7f751942d115b3a65c7ce0d6a3',
    )
    assert.equal(codec('G722').samplesOfSize?.(160), 320)
  })

  test('starts anew after a reset', async () => {
    const decoder = await codec('G722').open(16_000)
    const first = decoder.decode(bytes)
    await decoder.reset()
    assert.deepEqual(decoder.decode(bytes), first)
    assert.notDeepEqual(decoder.decode(bytes), first)
  })
})

suite('Opus', () => {
  test('is decoded to the speech that was coded', async () => {
    const decoder = await codec('OPUS').open(16_000)
    const packets = opusSpeech()
    const decoded = packets.flatMap((packet) => [...decoder.decode(packet)])
    decoder.close()
    assert.equal(packets.length, 200)
    assert.equal(decoded.length, 64_000)
    const recording = (await loadRecordings()).find(({ name }) => name === 'late-delivery')
    const speech = decodeMuLaw(recording?.audio.subarray(1_600, 33_600) ?? new Uint8Array())
    const telephone = speech.map((_, index) => decoded[index * 2] ?? 0)
    const delays = Array.from({ length: 120 }, (_, delay) => correlation(speech, telephone, delay))
    assert.ok(Math.max(...delays) > 0.9, `${Math.max(...delays)}`)
  })

  test('starts anew after a reset', async () => {
    const decoder = await codec('OPUS').open(48_000)
    const [one = new Uint8Array(), two = new Uint8Array()] = opusSpeech().slice(60)
    const first = [decoder.decode(one), decoder.decode(two)]
    await decoder.reset()
    assert.deepEqual([decoder.decode(one), decoder.decode(two)], first)
    decoder.close()
  })

  test('tells the length of a packet from its structure', () => {
    const at = (rate: number, ...bytes: number[]) => opusSamples(Uint8Array.from(bytes), rate)
    assert.equal(at(48_000, 0x08), 960)
    assert.equal(at(16_000, 0x48, 1, 2, 3), 320)
    assert.equal(at(16_000, 0x49, 1, 2), 640)
    assert.equal(at(16_000, 0x4a, 1, 2, 3), 640)
    assert.equal(at(8_000, 0x4b, 0x03, 1, 2, 3), 480)
    assert.equal(at(48_000, 0xe0), 120)
    assert.equal(at(8_000, 0xe0), 20)
  })

  test('of which nothing is right is no audio', () => {
    for (const bytes of [[], [0x49, 1], [0x4a], [0x4a, 9, 1], [0x4b], [0x4b, 0], [0x4b, 0x07, 1]])
      assert.equal(opusSamples(Uint8Array.from(bytes), 48_000), 0, `${bytes}`)
    assert.equal(opusSamples(new Uint8Array(3_841), 48_000), 0)
  })

  test('of any bytes is as long as announced, and says nothing on the console', async (t) => {
    const said = t.mock.method(console, 'error', () => {})
    const decoder = await codec('OPUS').open(48_000)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (packet) => {
        assert.equal(decoder.decode(packet).length, opusSamples(packet, 48_000))
      }),
      { numRuns: 3_000 },
    )
    decoder.close()
    assert.deepEqual(said.mock.calls, [])
  })
})

/** How alike two signals are when one is delayed by some samples, -1 to 1. */
function correlation(one: Int16Array, other: Int16Array, delay: number): number {
  let [both, first, second] = [0, 0, 0]
  for (let index = 0; index + delay < one.length; index += 1) {
    const [a, b] = [one[index] ?? 0, other[index + delay] ?? 0]
    both += a * b
    first += a * a
    second += b * b
  }
  return both / Math.sqrt(first * second)
}
