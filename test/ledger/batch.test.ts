import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GatewayError } from '../../src/errors.ts'
import { batchParameters, receipts, type StoredGroup } from '../../src/ledger/batch.ts'
import { packetOf } from '../support/calls.ts'
import { NaiveTrack } from '../support/naive-track.ts'

const groups = fc.array(
  fc.array(fc.record({ sequence: fc.nat(25), size: fc.nat(9) }), { minLength: 1, maxLength: 20 }),
  { maxLength: 6 },
)

test('a batch carries every sequence once, with the bytes that came first, and counts the rest', () => {
  fc.assert(
    fc.property(groups, (drawn) => {
      const batch = drawn.map((packets, index) => ({
        callId: `call-${index}`,
        packets: packets.map(({ sequence, size }, place) =>
          packetOf(`call-${index}`, sequence, {
            timestamp: place + 1,
            payload: Buffer.alloc(size, place + 1),
          }),
        ),
      }))
      const [
        callIds,
        tracks,
        encodings,
        firsts,
        lasts,
        received,
        repeats,
        late,
        sequences,
        timestamps,
        sizes,
        starts,
        payload,
      ] = batchParameters(batch)
      assert.deepEqual(
        callIds,
        batch.map(({ callId }) => callId),
      )
      assert.ok(tracks.every((track) => track === 'mixed') && tracks.length === batch.length)
      assert.ok(encodings.every((one) => one === 'text') && encodings.length === batch.length)
      let place = 0
      for (const [index, { packets }] of batch.entries()) {
        const naive = new NaiveTrack()
        assert.equal(firsts[index], place + 1)
        for (const packet of packets) {
          if (!naive.take(packet.sequence)) continue
          const start = (starts[place] ?? 0) - 1
          const bytes = payload.subarray(start, start + (sizes[place] ?? 0))
          assert.equal(sequences[place], packet.sequence)
          assert.equal(timestamps[place], packet.timestamp)
          assert.ok(Buffer.from(packet.payload).equals(bytes))
          place += 1
        }
        assert.equal(lasts[index], place)
        assert.equal(repeats[index], naive.duplicates)
        assert.equal(late[index], naive.late)
        const numbers = [...(received[index] ?? '').matchAll(/\[(\d+),(\d+)\)/g)].flatMap(
          ([, first, end]) =>
            Array.from({ length: Number(end) - Number(first) }, (_, n) => Number(first) + n),
        )
        assert.deepEqual(numbers, naive.sorted())
      }
      assert.equal(place, sequences.length)
      assert.equal(
        payload.length,
        sizes.reduce((sum, size) => sum + size, 0),
      )
    }),
    { numRuns: 1_000 },
  )
})

const stored: StoredGroup = {
  ordinal: 1,
  outcome: 'stored',
  prior: '{}',
  horizon: 0,
  has_zero: false,
  created: true,
}

test('every packet of a group gets its own receipt, as of its place in the order', () => {
  const told = receipts(groupOf(1, 4, 2, 4, 3), stored)
  const usual = { duplicate: false, late: false, opensGap: false, missing: '' }
  assert.deepEqual(told, [
    usual,
    { ...usual, opensGap: true, missing: '2,3' },
    { ...usual, late: true, missing: '3' },
    { ...usual, duplicate: true, missing: '3' },
    { ...usual, late: true, missing: '' },
  ])
})

test('of a sealed call only what is stored is acknowledged, also within one group', () => {
  const told = receipts(groupOf(3, 2, 3, 5), {
    ...stored,
    outcome: 'sealed',
    prior: '{[1,3),[5,6)}',
  })
  const shown = told.map((one) => (one instanceof Error ? one.code : one))
  const repeat = { duplicate: true, late: false, opensGap: false, missing: '3,4' }
  assert.deepEqual(shown, ['call_sealed', repeat, 'call_sealed', repeat])
  assert.equal(
    (told[0] as GatewayError).message,
    'The analysis of call call has begun; packet 3 was not stored',
  )
})

function groupOf(...sequences: number[]) {
  return { callId: 'call', packets: sequences.map((sequence) => packetOf('call', sequence)) }
}
