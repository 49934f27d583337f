import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  loadRecordings,
  packetBytes,
  packetCount,
  packetData,
} from '../../src/simulator/recordings.ts'

const recordings = await loadRecordings()

test('six conversations of 15 to 30 s in whole packets, together below 1.6 MB', () => {
  assert.equal(recordings.length, 6)
  for (const recording of recordings) {
    assert.equal(recording.audio.length % packetBytes, 0)
    assert.ok(packetCount(recording) >= 750 && packetCount(recording) <= 1500, recording.name)
  }
  assert.ok(recordings.reduce((sum, { audio }) => sum + audio.length, 0) < 1_600_000)
})

test('the turns alternate, do not overlap, and only they hold sound', () => {
  for (const { audio, turns } of recordings) {
    let packet = 0
    for (const [index, { speaker, text, start, end }] of turns.entries()) {
      assert.equal(speaker, index % 2 === 0 ? 'agent' : 'customer')
      assert.ok(text.length > 0 && start > packet && end > start)
      assert.ok(
        audio.subarray(packet * packetBytes, start * packetBytes).every((byte) => byte === 0xff),
      )
      assert.ok(
        audio.subarray(start * packetBytes, end * packetBytes).some((byte) => byte !== 0xff),
      )
      packet = end
    }
    assert.ok(audio.subarray(packet * packetBytes).every((byte) => byte === 0xff))
  }
})

test('a packet is base64 of 160 bytes', () => {
  const [recording] = recordings
  assert.ok(recording !== undefined)
  const bytes = Buffer.from(packetData(recording, 20), 'base64')
  assert.deepEqual(bytes, Buffer.from(recording.audio.subarray(20 * packetBytes, 21 * packetBytes)))
})
