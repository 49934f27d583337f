import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AudioPiece, cutAudio, type PieceLimit } from '../../../src/analysis/audio/cut.ts'
import { type Random, seededRandom } from '../../../src/random.ts'
import { decodeMuLaw } from '../../../src/recording/g711.ts'

const rate = 8_000
const wholeFile = { bytes: 25_000_000, seconds: 1_400 }

/** Frames of 20 ms. */
async function* framesOf(samples: Int16Array, length = 160): AsyncGenerator<Int16Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length)
}

async function cut(samples: Int16Array, limit: PieceLimit, frame?: number): Promise<AudioPiece[]> {
  return await Array.fromAsync(cutAudio(framesOf(samples, frame), rate, limit))
}

/** Voice is noise here, a pause is a faint hiss. */
function voice(seconds: number, loudness: number, random: Random): Int16Array {
  return Int16Array.from({ length: seconds * rate }, () => (2 * random() - 1) * loudness)
}

function join(...parts: Int16Array[]): Int16Array {
  const joined = new Int16Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

function samplesOf({ audio, start, end }: AudioPiece): Int16Array {
  const samples = new Int16Array(audio.buffer.slice(44))
  return samples.subarray(0, Math.round((end - start) * rate))
}

test('a short call is one WAV file that holds exactly its samples', async () => {
  const samples = voice(3, 8_000, seededRandom(1))
  const [piece, ...others] = await cut(samples, wholeFile)
  assert.ok(piece)
  assert.deepEqual(others, [])
  assert.deepEqual({ start: piece.start, end: piece.end }, { start: 0, end: 3 })
  const view = new DataView(piece.audio.buffer)
  const text = (at: number) => Buffer.from(piece.audio.subarray(at, at + 4)).toString()
  assert.deepEqual([text(0), text(8), text(12), text(36)], ['RIFF', 'WAVE', 'fmt ', 'data'])
  assert.equal(view.getUint32(4, true), piece.audio.length - 8)
  assert.equal(view.getUint16(20, true), 1)
  assert.equal(view.getUint16(22, true), 1)
  assert.equal(view.getUint32(24, true), rate)
  assert.equal(view.getUint32(28, true), 2 * rate)
  assert.equal(view.getUint16(34, true), 16)
  assert.equal(view.getUint32(40, true), 2 * samples.length)
  assert.deepEqual(samplesOf(piece), samples)
})

test('a long call is cut in the pause that is nearest the end of a piece, and nothing is sent twice', async () => {
  const random = seededRandom(2)
  const parts = [voice(17, 8_000, random), voice(0.5, 20, random), voice(14, 8_000, random)]
  const samples = join(...parts)
  const pieces = await cut(samples, { bytes: 25_000_000, seconds: 20 })
  assert.equal(pieces.length, 2)
  const [first, second] = pieces as [AudioPiece, AudioPiece]
  assert.ok(first.end > 17 && first.end < 17.5, `cut at ${first.end}`)
  assert.equal(second.start, first.end)
  assert.deepEqual(join(samplesOf(first), samplesOf(second)), samples)
})

test('speech without a pause is cut with two seconds in common', async () => {
  const samples = voice(50, 8_000, seededRandom(3))
  const pieces = await cut(samples, { bytes: 25_000_000, seconds: 20 })
  assert.deepEqual(
    pieces.map(({ start, end }) => [start, end]),
    [
      [0, 20],
      [18, 38],
      [36, 50],
    ],
  )
})

test('no last piece is sent that holds only what was in the one before', async () => {
  const pieces = await cut(voice(20, 8_000, seededRandom(4)), { bytes: 25_000_000, seconds: 20 })
  assert.deepEqual(
    pieces.map(({ start, end }) => [start, end]),
    [[0, 20]],
  )
})

test('the shortest call is filled up to what services take; no audio is no piece', async () => {
  const [piece] = await cut(voice(0.02, 8_000, seededRandom(5)), wholeFile)
  assert.equal(piece?.audio.length, 44 + 2 * 0.2 * rate)
  assert.equal(piece?.end, 0.02)
  assert.deepEqual(await cut(new Int16Array(0), wholeFile), [])
})

test('whatever is said: every sample is in a piece, none is too large, and each is new', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          seconds: fc.double({ min: 0.1, max: 12, noNaN: true }),
          loudness: fc.constantFrom(0, 10, 300, 8_000, 30_000),
        }),
        { maxLength: 12 },
      ),
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 8, max: 30 }),
      async (parts, frame, seconds) => {
        const random = seededRandom(parts.length)
        const samples = join(...parts.map((part) => voice(part.seconds, part.loudness, random)))
        const limit = { bytes: 44 + 2 * rate * 25, seconds }
        const pieces = await cut(samples, limit, frame)
        let end = 0
        for (const piece of pieces) {
          assert.ok(piece.audio.length <= limit.bytes)
          assert.ok(Math.round((piece.end - piece.start) * rate) <= seconds * rate)
          assert.ok(piece.start <= end && piece.end > end)
          const at = Math.round(piece.start * rate)
          assert.deepEqual(samplesOf(piece), samples.slice(at, Math.round(piece.end * rate)))
          end = piece.end
        }
        assert.equal(Math.round(end * rate), samples.length)
      },
    ),
    // A smaller case would take long to find, and tell no more.
    { numRuns: 40, endOnFailure: true },
  )
})

test('real speech is cut where nobody speaks', async () => {
  const samples = decodeMuLaw(await readFile('assets/speech/billing-dispute.ulaw'))
  const pieces = await cut(samples, { bytes: 25_000_000, seconds: 10 })
  assert.ok(pieces.length > 2)
  for (const [index, { end }] of pieces.slice(0, -1).entries()) {
    assert.equal(pieces[index + 1]?.start, end)
    const around = samples.slice((end - 0.1) * rate, (end + 0.1) * rate)
    assert.ok(
      around.every((sample) => Math.abs(sample) < 100),
      `cut at ${end} s`,
    )
  }
})

test('eight hours of audio need the memory of one piece', async () => {
  const frame = new Int16Array(rate)
  async function* workingDay() {
    for (let second = 0; second < 8 * 3_600; second += 1) yield frame
  }
  globalThis.gc?.()
  const before = process.memoryUsage().arrayBuffers
  let [most, pieces] = [0, 0]
  for await (const piece of cutAudio(workingDay(), rate, { bytes: 2_000_000, seconds: 120 })) {
    pieces += 1
    assert.ok(piece.audio.length <= 2_000_000)
    if (pieces % 50 === 0) globalThis.gc?.()
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  assert.ok(pieces >= 8 * 30)
  // Less than the 460 MB of all, even if nothing is collected for a while.
  assert.ok(most < 200_000_000, `${most} bytes`)
})

test('a limit that leaves no room is refused', async () => {
  await assert.rejects(
    cut(voice(1, 100, seededRandom(6)), { bytes: 1_000, seconds: 60 }),
    RangeError,
  )
})
