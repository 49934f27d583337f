// The short way into the ledger, which looks at tracks and at no call: what it takes is what the long way would have
// taken, and what it leaves to the long way is left whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import { appendParameters } from '../../src/ledger/batch.ts'
import type { Packet } from '../../src/ledger/packet.ts'
import type { PacketGroup } from '../../src/ledger/packet-group.ts'
import { readPackets } from '../../src/ledger/read-packets.ts'
import { appendPackets } from '../../src/ledger/statements.ts'
import { contentOf, groupOf, packetOf, storeCall } from '../support/calls.ts'
import { connect, createDatabase } from '../support/database.ts'
import { openLedger } from '../support/ledger.ts'
import { untilBlocked } from '../support/locks.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'

const group = (callId: string, ...sequences: number[]) =>
  groupOf(sequences.map((sequence) => packetOf(callId, sequence)))

/** Appends groups to calls of these numbers. */
async function append(
  db: Parameters<typeof appendPackets>[0],
  calls: readonly number[],
  groups: readonly PacketGroup[],
) {
  const [result] = await appendPackets(db, `{${calls.join()}}`, ...appendParameters(groups))
  assert.ok(result)
  return result
}

async function sequencesOf(pool: Pool, callId: string): Promise<number[]> {
  return (await storedPackets(pool, callId)).map(({ sequence }) => sequence)
}

test('what goes on where its track ends is stored; nothing is told of it that goes without saying', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const calls = [await storeCall(pool, 'one', [1]), await storeCall(pool, 'two', [0, 1, 2])]
  const result = await append(pool, calls, [group('one', 2, 3), group('two', 3)])
  assert.deepEqual(result, { stored: 2, ordinals: null, unusual: null })
  assert.deepEqual(await sequencesOf(pool, 'one'), [1, 2, 3])
  assert.deepEqual(await sequencesOf(pool, 'two'), [0, 1, 2, 3])
})

test('packets of any size, with gaps, repeats or none, are read back as they were sent', async (t) => {
  await using database = await createDatabase()
  const { pool } = database
  const random = seededFor(t)
  const ids = ['even', 'sized', 'any']
  const sent = new Map<string, Packet[]>()
  const calls: number[] = []
  const draw = (id: string, sequence: number): Packet =>
    packetOf(id, sequence, {
      timestamp: sequence / 7 + 1,
      payload: Buffer.alloc(id === 'even' ? 160 : 1 + Math.floor(random() * 300), sequence),
    })
  for (const id of ids) calls.push(await storeCall(pool, id, [1]))
  const next = new Map(ids.map((id) => [id, 2]))
  for (let round = 0; round < 20; round += 1) {
    const groups = ids.map((id) => {
      const first = next.get(id) ?? 0
      let sequences = Array.from({ length: 1 + Math.floor(random() * 30) }, (_, n) => first + n)
      if (id === 'any')
        sequences = sequences
          .filter(() => random() < 0.9)
          .concat(first + 40)
          .toSorted(() => random() - 0.5)
      next.set(id, Math.max(...sequences) + 1)
      const packets = sequences.map((sequence) => draw(id, sequence))
      sent.set(id, [...(sent.get(id) ?? []), ...packets])
      const again = id === 'any' ? packets.slice(0, 1) : []
      return groupOf([...packets, ...again])
    })
    const { stored } = await append(pool, calls, groups)
    assert.equal(stored, ids.length)
  }
  for (const [index, id] of ids.entries()) {
    const expected = (sent.get(id) ?? [])
      .toSorted((one, other) => one.sequence - other.sequence)
      .map(contentOf)
      .map(({ sequence, timestamp, payload }) => [sequence, timestamp, payload.toString('hex')])
    const inTable = await storedPackets(pool, id)
    assert.deepEqual(
      inTable.slice(1).map((one) => [one.sequence, one.timestamp, one.data.toString('hex')]),
      expected,
    )
    const read = await Array.fromAsync(readPackets(pool, calls[index] ?? 0))
    assert.deepEqual(
      read
        .slice(1)
        .map((one) => [one.sequence, one.timestamp, Buffer.from(one.payload).toString('hex')]),
      expected,
    )
  }
  const { rows } = await pool.query(
    `SELECT call_id, sum((sequences IS NULL)::int)::int AS unlisted, count(*)::int AS segments
     FROM segments JOIN calls ON calls.id = call WHERE last_sequence > 1 GROUP BY 1 ORDER BY 1 DESC`,
  )
  const [sized, even, any] = rows
  assert.deepEqual(even, { call_id: 'even', unlisted: 20, segments: 20 })
  assert.ok(sized.unlisted < 20 && any.unlisted === 0, JSON.stringify(rows))
})

test('of a track with holes it is told what was there before', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const calls: number[] = []
  for (const [id, sequences] of Object.entries({ whole: [1], holed: [1, 3], begun: [5] }))
    calls.push(await storeCall(pool, id, sequences))
  const groups = [group('whole', 3), group('holed', 4), group('begun', 6)]
  const { stored, ordinals, unusual } = await append(pool, calls, groups)
  assert.deepEqual({ stored, ordinals }, { stored: 3, ordinals: null })
  assert.deepEqual(unusual?.toSorted(), [
    [1, '{[1,2)}', 0, false],
    [2, '{[1,2),[3,4)}', 0, false],
    [3, '{[5,6)}', 0, false],
  ])
})

test('repeats, late packets, unknown calls and sealed ones are left out, and nothing of them is stored', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const ids = ['repeat', 'late', 'sealed', 'next']
  const calls: number[] = []
  for (const id of ids) calls.push(await storeCall(pool, id, [1, 3]))
  await pool.query(`UPDATE calls SET sealed_at = now() WHERE call_id = 'sealed'`)
  const groups = [
    group('repeat', 3),
    group('late', 2, 4),
    group('sealed', 4),
    group('next', 4),
    group('gone', 1),
  ]
  const { stored, ordinals } = await append(pool, [...calls, 1e9], groups)
  assert.deepEqual({ stored, ordinals }, { stored: 1, ordinals: [4] })
  for (const id of ids)
    assert.deepEqual(await sequencesOf(pool, id), id === 'next' ? [1, 3, 4] : [1, 3])
})

test('a packet under way when its call is sealed is stored before, or not at all', async () => {
  await using database = await createDatabase()
  await using appending = await connect(database.url)
  await using sealing = await connect(database.url)
  const { pool } = database
  const call = await storeCall(pool, 'call', [1])
  const seal = `UPDATE calls SET sealed_at = now() WHERE call_id = 'call'`

  await appending.query('BEGIN')
  await append(appending, [call], [group('call', 2)])
  let isSealed = false
  const sealed = sealing.query(seal).then(() => {
    isSealed = true
  })
  await untilBlocked(pool)
  assert.equal(isSealed, false)
  await appending.query('COMMIT')
  await sealed
  assert.deepEqual(await sequencesOf(pool, 'call'), [1, 2])

  assert.equal((await append(appending, [call], [group('call', 3)])).stored, 0)
  assert.deepEqual(await sequencesOf(pool, 'call'), [1, 2])
})

test('whose track somebody else holds is told so soon, and the ledger sets it aside', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using holder = await connect(database.url)
  const ids = ['held', 'free']
  for (const id of ids) await ledger.store(packetOf(id, 1))
  await holder.query('BEGIN')
  await holder.query(
    `SELECT FROM tracks WHERE call = (SELECT id FROM calls WHERE call_id = 'held') FOR UPDATE`,
  )
  const held = ledger.store(packetOf('held', 2))
  for (const sequence of [2, 3, 4]) await ledger.store(packetOf('free', sequence))
  assert.deepEqual(await sequencesOf(database.pool, 'held'), [1])
  await holder.query('COMMIT')
  assert.equal((await held).duplicate, false)
  assert.deepEqual(await sequencesOf(database.pool, 'held'), [1, 2])
})

test('two gateways that feed one track in any order lose nothing of each other', async (t) => {
  await using database = await createDatabase()
  await using one = openLedger(database.url)
  await using other = openLedger(database.url)
  const random = seededFor(t)
  const count = 1_500
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // Now and then a turn of the event loop, so that batches of all sizes meet.
      for (let turns = random() * index * 0.2; turns > 0; turns -= 1)
        await new Promise((resolve) => setImmediate(resolve))
      await (random() < 0.5 ? one : other).store(packetOf('call', index + 1))
    }),
  )
  const { rows } = await database.pool.query(
    'SELECT received::text, packets, duplicates FROM tracks',
  )
  assert.deepEqual(rows, [{ received: `{[1,${count + 1})}`, packets: count, duplicates: 0 }])
  assert.equal((await sequencesOf(database.pool, 'call')).length, count)
})
