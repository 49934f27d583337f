import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, sizeOf } from '../../src/byte-range.ts'
import type { GatewayError } from '../../src/errors.ts'
import {
  appendParameters,
  commitParameters,
  receipts,
  type StoredGroup,
} from '../../src/ledger/batch.ts'
import type { Packet } from '../../src/ledger/packet.ts'
import type { PacketGroup } from '../../src/ledger/packet-group.ts'
import { groupOf, packetOf, packetsOf } from '../support/calls.ts'
import { NaiveTrack } from '../support/naive-track.ts'

/** Packets in any order, and some that follow one another. */
const groups = fc.array(
  fc
    .array(
      fc.record({ sequence: fc.nat(25), size: fc.nat(9), length: fc.integer({ min: 1, max: 6 }) }),
      {
        minLength: 1,
        maxLength: 20,
      },
    )
    .map((runs) =>
      runs.flatMap(({ sequence, size, length }) =>
        Array.from({ length }, (_, nth) => ({ sequence: sequence + nth, size })),
      ),
    ),
  { maxLength: 6 },
)

test('a batch carries every sequence once, with the bytes that came first, and counts the rest', () => {
  fc.assert(
    fc.property(groups, (drawn) => {
      const batch = drawn.map((packets, index) => groupOf(inOneMemory(`call-${index}`, packets)))
      const [
        callIds,
        tracks,
        encodings,
        firsts,
        lasts,
        starts,
        lengths,
        received,
        repeats,
        late,
        sequences,
        timestamps,
        sizes,
        payload,
      ] = readParameters(batch)
      assert.deepEqual(
        callIds,
        batch.map(({ callId }) => callId),
      )
      assert.ok(tracks.every((one) => one === 'mixed') && tracks.length === batch.length)
      assert.ok(encodings.every((one) => one === 'text') && encodings.length === batch.length)
      let place = 0
      for (const [index, group] of batch.entries()) {
        const naive = new NaiveTrack()
        assert.equal(firsts[index], place + 1)
        let start = (starts[index] ?? 0) - 1
        for (const packet of packetsOf(group)) {
          if (!naive.take(packet.sequence)) continue
          const bytes = payload.subarray(start, start + (sizes[place] ?? 0))
          start += bytes.length
          assert.equal(sequences[place], packet.sequence)
          assert.equal(timestamps[place], packet.timestamp)
          assert.ok(bytesOf(packet).equals(bytes))
          place += 1
        }
        assert.equal(lasts[index], place)
        assert.equal(lengths[index], start - (starts[index] ?? 0) + 1)
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

test('to append, packets that follow one another and are of one size are not listed, and all others are', () => {
  fc.assert(
    fc.property(groups, (drawn) => {
      const batch = drawn.map((packets, index) => groupOf(inOneMemory(`call-${index}`, packets)))
      const [, ...whole] = commitParameters(batch)
      const append = appendParameters(batch)
      assert.deepEqual(append.slice(0, 9), whole.slice(0, 9))
      const [listed, size] = [numbersOf(append[9]), numbersOf(append[10])]
      const sequences = elementsOf(append[11], toSequence)
      const sizes = elementsOf(append[13], toSize)
      assert.deepEqual([append[12], append[14]], [whole[10], whole[12]])
      let place = 1
      for (const [index, group] of batch.entries()) {
        const packets = packetsOf(group)
        const [first] = packets
        assert.ok(first !== undefined)
        const isEven = packets.every(
          (packet, nth) =>
            packet.sequence === first.sequence + nth && sizeOf(packet) === sizeOf(first),
        )
        if (isEven) {
          assert.deepEqual([listed[index], size[index]], [0, sizeOf(first)])
          continue
        }
        assert.equal(listed[index], place)
        const naive = new NaiveTrack()
        for (const packet of packets) {
          if (!naive.take(packet.sequence)) continue
          assert.equal(sequences[place - 1], packet.sequence)
          assert.equal(sizes[place - 1], sizeOf(packet))
          place += 1
        }
      }
      assert.deepEqual([sequences.length, sizes.length], [place - 1, place - 1])
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
  call: 1,
}

test('every packet of a group gets its own receipt, as of its place in the order', () => {
  const told = receipts(
    groupOf([1, 4, 2, 4, 3].map((sequence) => packetOf('call', sequence))),
    stored,
  )
  const usual = { duplicate: false, late: false, opensGap: false, missing: '' }
  assert.deepEqual(told, [
    usual,
    { ...usual, opensGap: true, missing: '2,3' },
    { ...usual, late: true, missing: '3' },
    { ...usual, duplicate: true, missing: '3' },
    { ...usual, late: true, missing: '' },
  ])
})

test('packets that go on behind a hole share a receipt, until it is filled', () => {
  const sequences = [1, 4, 5, 6, 7, 2, 8, 9]
  const told = receipts(groupOf(sequences.map((sequence) => packetOf('call', sequence))), stored)
  const usual = { duplicate: false, late: false, opensGap: false }
  assert.deepEqual(told.slice(2, 5), Array(3).fill({ ...usual, missing: '2,3' }))
  assert.deepEqual(told.slice(6), Array(2).fill({ ...usual, missing: '3' }))
  assert.equal(new Set(told.slice(2, 5)).size, 1)
  assert.equal(new Set(told.slice(6)).size, 1)
})

test('of a sealed call only what is stored is acknowledged, also within one group', () => {
  const told = receipts(groupOf([3, 2, 3, 5].map((sequence) => packetOf('call', sequence))), {
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

/** Packets whose payloads follow one another in memory, each full of its place. */
function inOneMemory(
  callId: string,
  drawn: readonly { readonly sequence: number; readonly size: number }[],
): Packet[] {
  const memory = Buffer.concat(drawn.map(({ size }, place) => Buffer.alloc(size, place + 1)))
  let end = 0
  return drawn.map(({ sequence, size }, place) => {
    const start = end
    end += size
    return packetOf(callId, sequence, { timestamp: place + 1, memory, start, end })
  })
}

/** The parameters of a batch, its arrays read as PostgreSQL does. */
function readParameters(batch: readonly PacketGroup[]) {
  const [callIds, tracks, encodings, firsts, lasts, starts, lengths, received, ...others] =
    commitParameters(batch)
  const [repeats, late, sequences, timestamps, sizes, payload] = others
  return [
    textsOf(callIds),
    textsOf(tracks),
    textsOf(encodings),
    numbersOf(firsts),
    numbersOf(lasts),
    numbersOf(starts),
    numbersOf(lengths),
    textsOf(received),
    numbersOf(repeats),
    numbersOf(late),
    elementsOf(sequences, toSequence),
    elementsOf(timestamps, (element) => element.readDoubleBE()),
    elementsOf(sizes, toSize),
    payload,
  ] as const
}

const toSequence = (element: Buffer) => Number(element.readBigInt64BE())
const toSize = (element: Buffer) => element.readInt32BE()

function numbersOf(array: string): number[] {
  return textsOf(array).map(Number)
}

/** The elements of an array of the binary protocol: after 20 bytes each with its length before it. */
function elementsOf(array: Uint8Array, read: (element: Buffer) => number): number[] {
  const elements: number[] = []
  const bytes = Buffer.from(array)
  for (let at = 20; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    elements.push(read(bytes.subarray(at + 4, end)))
    at = end
  }
  return elements
}

function textsOf(array: string): string[] {
  return [...array.slice(1, -1).matchAll(/"([^"]*)"|[^,]+/g)].map(([all, quoted]) => quoted ?? all)
}
