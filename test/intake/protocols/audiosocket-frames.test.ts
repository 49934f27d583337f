// The frames of AudioSocket, byte by byte.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ProtocolViolation } from '../../../src/intake/media/protocol.ts'
import {
  audioRate,
  FrameReader,
  hangupFrame,
  readUuid,
  silenceFrame,
} from '../../../src/intake/protocols/audiosocket-frames.ts'
import { type Random, seededRandom } from '../../../src/random.ts'

/** A call of two samples and a key, as Asterisk and its kin write it. */
const vector = bytes(`
  01 00 10 40 32 5e c2 5e fd 4b d3 80 5f 53 57 6e 58 1d 13
  10 00 04 00 00 00 00
  03 00 01 35
  00 00 00`)
const framesOfVector = ['01:40325ec25efd4bd3805f53576e581d13', '10:00000000', '03:35', '00:']

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}

function frame(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(type, length >> 8, length & 0xff), Buffer.alloc(length, 7)])
}

/** The frames of chunks, each as `type:payload` in hex. */
function read(chunks: readonly Uint8Array[]): string[] {
  const frames: string[] = []
  const reader = new FrameReader((type, payload) =>
    frames.push(`${type.toString(16).padStart(2, '0')}:${Buffer.from(payload).toString('hex')}`),
  )
  for (const chunk of chunks) reader.read(chunk)
  assert.equal(reader.frames, frames.length)
  return frames
}

function cut(all: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let from = 0; from < all.length; ) {
    const length = 1 + Math.floor(random() ** 3 * 700)
    chunks.push(all.subarray(from, from + length))
    from += length
  }
  return chunks
}

suite('a call is read the same', () => {
  test('in one segment', () => assert.deepEqual(read([vector]), framesOfVector))

  test('cut in two at every byte', () => {
    for (let at = 0; at <= vector.length; at += 1)
      assert.deepEqual(read([vector.subarray(0, at), vector.subarray(at)]), framesOfVector)
  })

  test('byte by byte', () => {
    assert.deepEqual(read([...vector].map((byte) => Buffer.of(byte))), framesOfVector)
  })

  test('cut anywhere, any frames after each other', () => {
    const types = [0x00, 0x02, 0x03, 0x10, 0x11, 0x12, 0x16, 0x18, 0xff]
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = seededRandom(seed)
      const frames = Array.from({ length: 20 }, () => {
        const type = types[Math.floor(random() * types.length)] ?? 0
        const length = type === 0 ? 0 : type === 3 ? 1 : type === 255 ? 1 : random() * 2_000
        return frame(type, Math.floor(length))
      })
      const all = Buffer.concat(frames)
      const expected = frames.map((one) => `${one.toString('hex', 0, 1)}:${one.toString('hex', 3)}`)
      assert.deepEqual(read(cut(all, random)), expected, `seed ${seed}`)
    }
  })
})

test('a frame that lies in one chunk is not copied', () => {
  const chunk = frame(0x10, 320)
  let payload: Uint8Array = new Uint8Array()
  new FrameReader((_type, its) => {
    payload = its
  }).read(chunk)
  assert.equal(payload.length, 320)
  assert.equal(payload.buffer, chunk.buffer)
})

test('it is known when a frame has begun and is not whole', () => {
  const reader = new FrameReader(() => {})
  for (const byte of [0x10, 0x00, 0x02, 0x01]) {
    reader.read(Buffer.of(byte))
    assert.ok(reader.isWithinFrame)
  }
  reader.read(Buffer.of(0x02))
  assert.ok(!reader.isWithinFrame)
})

suite('what is no frame is refused as soon as its header is there', () => {
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['an unknown type', Buffer.of(0x05, 0, 0), /type of a frame should be .* but is 0x05$/],
    ['the type after the last of audio', Buffer.of(0x19, 0, 0), /but is 0x19$/],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /but is 0x47$/],
    ['a UUID of 15 bytes', frame(0x01, 15), /0x01 \(UUID\) should have 16 bytes, but has 15$/],
    ['a UUID as text', frame(0x01, 36), /should have 16 bytes, but has 36$/],
    ['audio of more than 1 s', frame(0x10, 16_002), /should have 0 to 16000 bytes, but has 16002$/],
    ['64 KiB', Buffer.of(0x10, 0xff, 0xff), /but has 65535$/],
    ['two keys in one frame', frame(0x03, 2), /0x03 \(DTMF\) should have 1 bytes, but has 2$/],
    ['a hangup with a payload', frame(0x00, 1), /0x00 \(hangup\) should have 0 bytes/],
    ['an error with two codes', frame(0xff, 2), /0xff \(error\) should have 0 to 1 bytes/],
  ]
  for (const [what, wrong, reason] of cases)
    test(what, () => {
      assert.throws(
        () => read([wrong.subarray(0, 1), wrong.subarray(1, 3)]),
        (error) => error instanceof ProtocolViolation && reason.test(error.message),
      )
    })
})

test('each type of audio has its rate, and a frame of 20 ms of silence', () => {
  const sizes = [320, 480, 640, 960, 1280, 1764, 1920, 3840, 7680]
  for (const [index, size] of sizes.entries()) {
    const type = 0x10 + index
    assert.equal((audioRate(type) ?? 0) / 50, size / 2)
    assert.deepEqual(Buffer.from(silenceFrame(type)), frame(type, size).fill(0, 3))
  }
  assert.equal(audioRate(0x0f), undefined)
  assert.equal(audioRate(0x19), undefined)
  assert.deepEqual(Buffer.from(hangupFrame), Buffer.of(0, 0, 0))
})

test('a UUID is read in lower case', () => {
  const payload = bytes('40325EC25EFD4BD3805F53576E581D13')
  assert.equal(readUuid(payload), '40325ec2-5efd-4bd3-805f-53576e581d13')
})

test('100,000 inputs of any bytes: read or refused, nothing else', () => {
  const random = seededRandom(20_260)
  const outcomes = { read: 0, refused: 0 }
  for (let input = 0; input < 100_000; input += 1) {
    const all = mutate(vector, random)
    const reader = new FrameReader((_type, payload) => assert.ok(payload.length <= 0xffff))
    try {
      for (const chunk of cut(all, random)) reader.read(chunk)
      outcomes.read += 1
    } catch (error) {
      assert.ok(error instanceof ProtocolViolation, String(error))
      outcomes.refused += 1
    }
  }
  assert.ok(outcomes.read > 1_000 && outcomes.refused > 1_000, JSON.stringify(outcomes))
})

/** The same bytes with some of them changed, left out, repeated, or anything in their place. */
function mutate(original: Buffer, random: Random): Buffer {
  if (random() < 0.1)
    return Buffer.from(Uint8Array.from({ length: random() * 100 }, () => random() * 256))
  let mutant = Buffer.from(original)
  for (let change = random() * 4; change > 0; change -= 1) {
    const at = Math.floor(random() * mutant.length)
    const kind = random()
    if (kind < 0.5) mutant[at] = random() * 256
    else {
      const after = mutant.subarray(kind < 0.75 ? at + 1 : 0)
      mutant = Buffer.concat([mutant.subarray(0, at), after])
    }
  }
  return mutant
}
