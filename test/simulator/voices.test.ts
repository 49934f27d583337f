import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import {
  linearAudio,
  linearPacketBytes,
  splitVoices,
  voicePackets,
} from '../../src/simulator/voices.ts'

const recordings = await loadRecordings()

test('every byte of a recording belongs to one speaker, while the other one is silent', () => {
  for (const { audio, turns, ...rest } of recordings) {
    const voices = splitVoices({ audio, turns, ...rest })
    assert.equal(voicePackets(voices), audio.length / 160)
    for (const [index, byte] of audio.entries()) {
      const [customer, agent] = [voices.customer[index], voices.agent[index]]
      assert.ok(customer === 0xff || agent === 0xff)
      assert.equal(customer === 0xff ? agent : customer, byte)
    }
    for (const { speaker, start, end } of turns)
      assert.ok(voices[speaker].subarray(start * 160, end * 160).some((byte) => byte !== 0xff))
  }
})

// Both ends of every segment of the decoder table of G.711, positive side.
const ends: readonly (readonly [code: number, sample: number])[] = [
  [0x80, 32_124],
  [0x8f, 16_764],
  [0x90, 15_996],
  [0x9f, 8316],
  [0xa0, 7932],
  [0xaf, 4092],
  [0xb0, 3900],
  [0xbf, 1980],
  [0xc0, 1884],
  [0xcf, 924],
  [0xd0, 876],
  [0xdf, 396],
  [0xe0, 372],
  [0xef, 132],
  [0xf0, 120],
  [0xfe, 8],
  [0xff, 0],
]
const known = ends.flatMap(([code, sample]) => [
  [code, sample],
  [code & 0x7f, sample === 0 ? 0 : -sample],
]) as [code: number, sample: number][]

test('µ-law expands as G.711 says', () => {
  const customer = Uint8Array.from(known, ([code]) => code)
  const agent = new Uint8Array(customer.length).fill(0xff)
  const bytes = linearAudio({ customer, agent }, { channels: 'customer', sampleRate: 8000 })
  for (const [index, [, sample]] of known.entries())
    assert.equal(bytes.readInt16LE(index * 2), sample)
})

test('mixed adds both speakers and never wraps round; stereo has the customer left', () => {
  const voices = {
    customer: Uint8Array.of(0x80, 0xfe, 0xff),
    agent: Uint8Array.of(0x80, 0x7e, 0xef),
  }
  const samples = (channels: 'mixed' | 'stereo') => {
    const bytes = linearAudio(voices, { channels, sampleRate: 8000 })
    return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2))
  }
  assert.deepEqual(samples('mixed'), [32_767, 0, 132])
  assert.deepEqual(samples('stereo'), [32_124, 32_124, 8, -8, 0, 132])
})

test('at higher rates every sample of 8 kHz is kept, with a straight line to the next', () => {
  const voices = {
    customer: Uint8Array.of(0xff, 0xef, 0xff),
    agent: Uint8Array.of(0xff, 0xff, 0xff),
  }
  const bytes = linearAudio(voices, { channels: 'mixed', sampleRate: 16_000 })
  const samples = Array.from({ length: 6 }, (_, index) => bytes.readInt16LE(index * 2))
  assert.deepEqual(samples, [0, 66, 132, 66, 0, 0])
})

test('20 ms have the bytes of the tables', () => {
  const mono = (sampleRate: number) => linearPacketBytes({ channels: 'mixed', sampleRate })
  assert.deepEqual([8000, 16_000, 24_000, 48_000].map(mono), [320, 640, 960, 1920])
  assert.equal(linearPacketBytes({ channels: 'stereo', sampleRate: 8000 }), 640)
})
