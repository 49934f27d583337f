import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alignTracks } from '../../src/ledger/track-alignment.ts'

test('tracks that share a clock are aligned by it, and the earliest starts at 0', () => {
  const clock = 'sender 7'
  assert.deepEqual(
    alignTracks([
      { clock, origin: 12.5, received: 100 },
      { clock, origin: 12.25, received: 103 },
    ]),
    [0.25, 0],
  )
})

test('tracks of one arrival start together', () => {
  const beginning = { clock: 'arrival', origin: 1_790_000_000.123, received: 5 }
  assert.deepEqual(alignTracks([beginning, { ...beginning, received: 9 }]), [0, 0])
})

test('tracks of different clocks are aligned by when they were received', () => {
  assert.deepEqual(
    alignTracks([
      { clock: 'sender 1', origin: 1e9, received: 50 },
      { clock: 'sender 2', origin: 3, received: 48.5 },
    ]),
    [1.5, 0],
  )
})

test('a track that shares a clock with one of two stands where that one stands', () => {
  assert.deepEqual(
    alignTracks([
      { clock: 'sender 1', origin: 10, received: 50 },
      { clock: 'arrival', origin: 49, received: 49 },
      { clock: 'sender 1', origin: 11, received: 90 },
    ]),
    [1, 0, 2],
  )
})

test('a call without tracks has none', () => assert.deepEqual(alignTracks([]), []))
