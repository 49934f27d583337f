// How many packets are missing since a commit, against the ranges themselves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receipts } from '../../src/ledger/batch.ts'
import { lostBy } from '../../src/ledger/tally.ts'
import { groupOf, packetOf } from '../support/calls.ts'
import { seededFor } from '../support/seed.ts'

/** What the database would have said of a track that received these. */
function storedOf(sequences: ReadonlySet<number>) {
  const ranges = [...sequences]
    .toSorted((one, other) => one - other)
    .map((sequence) => `[${sequence},${sequence + 1})`)
  return {
    ordinal: 1,
    outcome: 'stored',
    prior: `{${ranges.join()}}`,
    horizon: 0,
    has_zero: sequences.has(0),
    created: false,
  } as const
}

function missingOf(sequences: ReadonlySet<number>): number {
  if (sequences.size === 0) return 0
  const highest = Math.max(...sequences)
  return highest + (sequences.has(0) ? 1 : 0) - sequences.size
}

test('the losses of all commits of a track add up to what is missing in the end', (t) => {
  const random = seededFor(t)
  for (let round = 0; round < 200; round += 1) {
    const received = new Set<number>()
    let lost = 0
    for (let commit = 0; commit < 6; commit += 1) {
      const packets = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
        packetOf('call', Math.floor(random() * 30)),
      )
      const group = groupOf(packets)
      const stored = storedOf(received)
      lost += lostBy(group, stored.prior, receipts(group, stored))
      for (const { sequence } of packets) received.add(sequence)
      assert.equal(lost, missingOf(received), `${[...received]}`)
    }
  }
})
