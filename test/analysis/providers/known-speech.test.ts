import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Track } from '../../../src/analysis/provider.ts'
import {
  indexSpeech,
  type Listener,
  type SpeechRecording,
} from '../../../src/analysis/providers/known-speech.ts'
import { loadRecordings, packetCount, packetData } from '../../../src/simulator/recordings.ts'

const recordings = await loadRecordings()
const listen = indexSpeech(recordings)
const silence = Buffer.alloc(160, 0xff)
const everything = () => true

function packets(recording: SpeechRecording, kept: (packet: number) => boolean): number[] {
  return Array.from({ length: packetCount(recording) }, (_, packet) => packet).filter(kept)
}

/** What is heard of a recording when only the `kept` packets arrive, the first with sequence `base`. */
function hear(recording: SpeechRecording, kept: (packet: number) => boolean, base = 1) {
  const listener = listen()
  for (const packet of packets(recording, kept))
    listener.hear('inbound', base + packet, Buffer.from(packetData(recording, packet)))
  return words(listener)
}

/** Who said what, without the times. */
function words(listener: Listener) {
  return listener.utterances().map(({ speaker, text }) => ({ speaker, text }))
}

function spoken({ turns }: SpeechRecording) {
  return turns.map(({ speaker, text }) => ({ speaker, text }))
}

function recordingOf(name: string): SpeechRecording {
  const recording = recordings.find((one) => one.name === name)
  assert.ok(recording !== undefined)
  return recording
}

const billing = recordingOf('billing-dispute')

for (const recording of recordings)
  test(`${recording.name}, complete: the exact words in order`, () => {
    assert.deepEqual(hear(recording, everything), spoken(recording))
    assert.deepEqual(hear(recording, everything, 0), spoken(recording))
    assert.deepEqual(hear(recording, everything, 5_000_000_000), spoken(recording))
  })

test('raw packets are recognised as well as base64, with or without padding', () => {
  for (const encode of [
    (data: string) => Buffer.from(data, 'base64'),
    (data: string) => Buffer.from(data.replaceAll('=', '')),
    (data: string) => Buffer.from(Buffer.from(data, 'base64').toString('base64url')),
  ]) {
    const listener = listen()
    for (const packet of packets(billing, everything))
      assert.ok(listener.hear('mixed', packet + 1, encode(packetData(billing, packet))))
    assert.deepEqual(words(listener), spoken(billing))
  }
})

test('lost words become one mark, a turn lost between others as well', () => {
  const [first, second, third] = billing.turns
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  const middleOfFirst = (packet: number) => packet > first.start + 60 && packet < first.end - 30
  const utterances = hear(
    billing,
    (packet) => !middleOfFirst(packet) && !(packet >= second.start && packet < second.end),
  )
  assert.match(utterances[0]?.text ?? '', /^Thank you for \S*.* \[…\] .*you\?$/)
  assert.equal(utterances[0]?.text.match(/\[…\]/g)?.length, 1)
  assert.deepEqual(utterances[1], { speaker: 'customer', text: '[…]' })
  assert.deepEqual(utterances[2], { speaker: 'agent', text: third.text })
})

test('a word is heard when at least half of its packets arrive', () => {
  const everySecond = hear(billing, (packet) => packet % 2 === 0)
  const heardWords = everySecond.flatMap(({ text }) => text.split(' '))
  const words = spoken(billing).flatMap(({ text }) => text.split(' '))
  assert.ok(heardWords.filter((word) => word !== '[…]').length > words.length / 2)
  const everyThird = hear(billing, (packet) => packet % 3 === 0)
  assert.ok(everyThird.length <= 7)
  assert.ok(everyThird.every(({ text }) => text.split(' ').length < 6))
})

test('what is heard of any subset of packets is the text with words replaced by marks', () => {
  const cases = fc.record({ seed: fc.integer(), loss: fc.integer({ min: 0, max: 100 }) })
  const recording = recordingOf('appointment')
  const short = { ...recording, turns: recording.turns.slice(0, 2) }
  const listenShort = indexSpeech([short])
  fc.assert(
    fc.property(cases, ({ seed, loss }) => {
      const listener = listenShort()
      for (let packet = 0; packet < 400; packet += 1)
        if (Math.abs(Math.imul(seed ^ packet, 0x9e3779b1)) % 100 >= loss)
          listener.hear('mixed', packet, recording.audio.subarray(packet * 160, packet * 160 + 160))
      for (const { speaker, text } of listener.utterances()) {
        const full = short.turns.find((turn) => turn.speaker === speaker)?.text ?? ''
        const parts = text.split('[…]').map((part) => part.trim().replace(/[^\w ]/g, '\\$&'))
        assert.match(full, new RegExp(`^${parts.join('.*')}$`))
        assert.doesNotMatch(text, /\[…\] \[…\]/)
      }
    }),
    { numRuns: 1000 },
  )
})

test('the end of a call that breaks off is not made up', () => {
  const [first, second] = billing.turns
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual(
    hear(billing, (packet) => packet < second.start),
    [{ speaker: 'agent', text: first.text }],
  )
})

test('two recordings in one call are told one after the other', () => {
  const listener = listen()
  const other = recordingOf('appointment')
  let sequence = 1
  for (const recording of [billing, other, billing])
    for (const packet of packets(recording, everything)) {
      listener.hear('mixed', sequence, Buffer.from(packetData(recording, packet)))
      sequence += 1
    }
  const expected = [...spoken(billing), ...spoken(other), ...spoken(billing)]
  assert.deepEqual(words(listener), expected)
})

test('speakers on tracks of their own, silent while the other speaks, make one conversation', () => {
  const listener = listen()
  const tracks: readonly (readonly [Track, string])[] = [
    ['inbound', 'customer'],
    ['outbound', 'agent'],
  ]
  for (const [track, speaker] of tracks)
    for (const packet of packets(billing, everything)) {
      const turn = billing.turns.find(({ start, end }) => start <= packet && packet < end)
      const data = Buffer.from(packetData(billing, packet), 'base64')
      listener.hear(track, packet + 1, turn?.speaker === speaker ? data : silence)
    }
  assert.deepEqual(words(listener), spoken(billing))
})

test('a pause in a playing, however long, tears nothing apart', () => {
  const listener = listen()
  const middle = Math.floor(packetCount(billing) / 2)
  for (const packet of packets(billing, everything)) {
    const sequence = packet + 1 + (packet < middle ? 0 : 137)
    listener.hear('mixed', sequence, Buffer.from(packetData(billing, packet), 'base64'))
  }
  assert.deepEqual(words(listener), spoken(billing))
})

test('one speaker alone: the silence of the other is not lost', () => {
  const listener = listen()
  for (const packet of packets(billing, everything)) {
    const turn = billing.turns.find(({ start, end }) => start <= packet && packet < end)
    const data = Buffer.from(packetData(billing, packet), 'base64')
    listener.hear('inbound', packet + 1, turn?.speaker === 'customer' ? data : silence)
  }
  assert.deepEqual(
    words(listener),
    spoken(billing).filter(({ speaker }) => speaker === 'customer'),
  )
})

test('silence, text and foreign audio are not speech', () => {
  const listener = listen()
  assert.equal(listener.hear('mixed', 1, Buffer.from('audio_chunk_1')), false)
  assert.equal(listener.hear('mixed', 2, Buffer.alloc(160, 7)), false)
  assert.equal(listener.hear('mixed', 3, new Uint8Array()), false)
  for (let sequence = 4; sequence < 5000; sequence += 1) listener.hear('mixed', sequence, silence)
  assert.deepEqual(words(listener), [])
})
