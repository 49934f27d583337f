import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Queryable } from '../../src/database/statement.ts'
import { commitParameters } from '../../src/ledger/batch.ts'
import type { Packet } from '../../src/ledger/packet.ts'
import { readPackets, type StoredPacket } from '../../src/ledger/read-packets.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import { contentOf, groupOf, packetOf, readCall } from '../support/calls.ts'
import { connect, createDatabase } from '../support/database.ts'
import { seededFor } from '../support/seed.ts'

test('packets come in ascending order, however their segments overlap', async () => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  const batches = [[5, 1, 9], [2], [3, 20], [4, 10], [0], [6, 7, 8], [19, 11]]
  for (const sequences of batches) await store(db, sequences)
  assert.deepEqual(await readAll(db), expect(batches.flat()))
})

test('many pages of segments that overlap at random are read back to the byte', async (t) => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  const random = seededFor(t)
  const shuffled = Array.from({ length: 1_500 }, (_, index) => ({ index, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ index }) => index)
  const batches: number[][] = []
  while (shuffled.length > 0) batches.push(shuffled.splice(0, 1 + Math.floor(random() * 9)))
  for (const sequences of batches) await store(db, sequences)
  t.diagnostic(`${batches.length} segments`)
  assert.ok(batches.length > 200)
  assert.deepEqual(await readAll(db), expect(batches.flat()))
})

test('exactly one full page of segments is read to its end', async () => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  const sequences = Array.from({ length: 100 }, (_, index) => index + 1)
  for (const sequence of sequences) await store(db, [sequence])
  assert.deepEqual(await readAll(db), expect(sequences))
  await store(db, [101])
  assert.deepEqual(await readAll(db), expect([...sequences, 101]))
})

test('a packet far ahead waits for all that come before it', async () => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  await store(db, [1, Number.MAX_SAFE_INTEGER])
  const sequences = Array.from({ length: 220 }, (_, index) => index + 2)
  for (const sequence of sequences) await store(db, [sequence])
  assert.deepEqual(await readAll(db), expect([1, ...sequences, Number.MAX_SAFE_INTEGER]))
})

test('one track follows the other, and other calls are not read', async () => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  await storeAs(db, [packetOf('other', 1)])
  for (const track of ['mixed', 'outbound', 'inbound'] as const)
    await storeAs(db, [packetOf('call', 2, { track }), packetOf('call', 1, { track })])
  const read = (await readAll(db)).map(({ track, sequence }) => `${track} ${sequence}`)
  assert.deepEqual(read, [
    'inbound 1',
    'inbound 2',
    'outbound 1',
    'outbound 2',
    'mixed 1',
    'mixed 2',
  ])
})

test('a call is read page by page, as its packets are wanted', async () => {
  await using database = await createDatabase()
  await using db = await openTransaction(database.url)
  for (let sequence = 1; sequence <= 250; sequence += 1) await store(db, [sequence])
  const { id } = await readCall(db, 'call')
  let pages = 0
  const counting: Queryable = {
    query: ((config: { values: unknown[]; name: string; text: string }) => {
      if (config.values[1] === 'mixed') pages += 1
      return db.query(config)
    }) as Queryable['query'],
  }
  const pagesRead: number[] = []
  for await (const { sequence } of readPackets(counting, id))
    if ([1, 99, 150, 250].includes(sequence)) pagesRead.push(pages)
  assert.deepEqual(pagesRead, [1, 1, 2, 3])
})

/** A connection whose commits cost nothing, since there are none. */
async function openTransaction(url: string) {
  const client = await connect(url)
  await client.query('BEGIN')
  return client
}

async function store(db: Queryable, sequences: readonly number[]): Promise<void> {
  await storeAs(
    db,
    sequences.map((sequence) => packetOf('call', sequence)),
  )
}

/** Stores packets of one call and track as one segment. */
async function storeAs(db: Queryable, packets: readonly Packet[]): Promise<void> {
  const [group] = await commitPackets(db, ...commitParameters([groupOf(packets)]), 300)
  assert.equal(group?.outcome, 'stored')
}

async function readAll(db: Queryable): Promise<StoredPacket[]> {
  const { rows } = await db.query<{ id: number }>(`SELECT id FROM calls WHERE call_id = 'call'`)
  return await Array.fromAsync(readPackets(db, rows[0]?.id ?? 0), (packet) => ({
    ...packet,
    payload: Buffer.from(packet.payload),
  }))
}

function expect(sequences: readonly number[]): StoredPacket[] {
  return sequences
    .toSorted((a, b) => a - b)
    .map((sequence) => {
      const { track, timestamp, payload } = contentOf(packetOf('call', sequence))
      return { track, sequence, timestamp, payload }
    })
}
