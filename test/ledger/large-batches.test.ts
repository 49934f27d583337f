// Batches as large as they come: what they cost grows with their size and no faster, or the statement timeout would
// end them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitParameters } from '../../src/ledger/batch.ts'
import type { PacketGroup } from '../../src/ledger/packet-group.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import { seededRandom } from '../../src/random.ts'
import { groupOf, packetOf } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import { storedPackets } from '../support/stored-packets.ts'

const up = Array.from({ length: 20_000 }, (_, n) => n + 1)
const next = up.map((n) => n + up.length)
const random = seededRandom(7)
const anyOrder = (numbers: readonly number[]) =>
  numbers
    .map((number) => ({ number, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ number }) => number)

/** What comes of a call, batch by batch. */
const histories: Readonly<Record<string, readonly number[][]>> = {
  ascending: [up, next],
  descending: [up.toReversed(), next.toReversed()],
  'in any order': [anyOrder(up), anyOrder(next)],
  'sent again': [up, up],
  'half of it sent before': [up.filter((n) => n % 500 < 250), up],
  'a repeat and more, behind 1,000 gaps': [up.slice(0, 1_000).map((n) => 2 * n), [2, ...next]],
}

for (const [name, batches] of Object.entries(histories))
  test(`20,000 packets of a track are stored in one go: ${name}`, async (t) => {
    await using database = await createDatabase()
    const sent = new Map<number, number>()
    for (const [batch, numbers] of batches.entries()) {
      const packets = numbers.map((sequence) => {
        if (!sent.has(sequence)) sent.set(sequence, batch)
        return packetOf('call', sequence, { payload: bytesOf(sequence, batch) })
      })
      const began = performance.now()
      const [stored] = await commitPackets(
        database.pool,
        ...commitParameters([groupOf(packets)]),
        300,
      )
      t.diagnostic(`${numbers.length} packets: ${Math.round(performance.now() - began)} ms`)
      assert.equal(stored?.outcome, 'stored')
    }
    const found = await storedPackets(database.pool, 'call')
    assert.deepEqual(
      found.map(({ sequence }) => sequence),
      [...sent.keys()].toSorted((a, b) => a - b),
    )
    for (const { sequence, data } of found)
      assert.ok(data.equals(bytesOf(sequence, sent.get(sequence) ?? -1)), `packet ${sequence}`)
  })

test('2,500 calls share a batch: new ones, known ones, repeats, and all of them at once', async (t) => {
  await using database = await createDatabase()
  const calls = Array.from({ length: 2_500 }, (_, n) => `call-${n}`)
  const ofOne = (callId: string, sequence: number) => groupOf([packetOf(callId, sequence)])
  const batches: Readonly<Record<string, PacketGroup[]>> = {
    'new calls': calls.map((callId) => ofOne(callId, 1)),
    'next packets': calls.map((callId) => ofOne(callId, 2)),
    repeats: calls.map((callId) => ofOne(callId, 1)),
    'new calls, next packets, repeats': calls.map((callId, n) =>
      n % 5 === 0 ? ofOne(`other-${n}`, 1) : ofOne(callId, n % 5 === 1 ? 1 : 3),
    ),
  }
  for (const [name, groups] of Object.entries(batches)) {
    const began = performance.now()
    const stored = await commitPackets(database.pool, ...commitParameters(groups), 300)
    t.diagnostic(`${groups.length} ${name}: ${Math.round(performance.now() - began)} ms`)
    assert.deepEqual(
      stored.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b),
      groups.map((_, place) => place + 1),
    )
    assert.ok(stored.every(({ outcome }) => outcome === 'stored'))
  }
  const { rows } = await database.pool.query(
    `SELECT count(*) AS tracks, sum(packets)::integer AS packets,
       sum(duplicates)::integer AS duplicates FROM tracks`,
  )
  assert.deepEqual(rows, [{ tracks: 3_000, packets: 7_000, duplicates: 3_000 }])
})

/** Bytes that say which copy of which packet they are. */
function bytesOf(sequence: number, batch: number): Buffer {
  return Buffer.from(`${batch}:${sequence}${'.'.repeat(sequence % 41)}`)
}
