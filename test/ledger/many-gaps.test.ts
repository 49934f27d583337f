// What bounds a track (invariant I9): its row holds at most 1,001 ranges (1,000 gaps), about 21 kB,
// however many gaps there are. Older ranges become rows of spilled_ranges, at most one for each packet
// stored, found by its key. Below the horizon missing numbers are counted and no longer listed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeRanges, parseMultirange } from '../../src/calls/missing-packets.ts'
import type { Pool } from '../../src/database/pool.ts'
import type { PacketReceipt } from '../../src/ledger/packet.ts'
import { packetOf, readCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import { openLedger, type TestLedger } from '../support/ledger.ts'
import { NaiveTrack } from '../support/naive-track.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'

const mostRanges = 1_001

test('of a call that sends only even numbers 1,000 gaps are kept in its row and all are counted', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const track = new NaiveTrack()
  for (let start = 1; start <= 4_000; start += 250) {
    await sendAll(ledger, track, evens(start, start + 249))
    assert.ok((await boundsOf(database.pool)).ranges <= mostRanges)
  }
  const bounds = await boundsOf(database.pool)
  assert.deepEqual(bounds, {
    ranges: mostRanges,
    spilled: 2_999,
    horizon: 6_000,
    bytes: bounds.bytes,
  })
  assert.ok(bounds.bytes < 22_000, `${bounds.bytes} bytes`)
  await assertExact(database.pool, track)
})

test('a first batch with thousands of gaps is bounded as well', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const track = new NaiveTrack()
  await sendAll(ledger, track, evens(1, 4_500))
  assert.equal((await boundsOf(database.pool)).ranges, mostRanges)
  await assertExact(database.pool, track)
})

/** The missing numbers that the call lists. */
async function listed(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ missing: string }>(
    'SELECT missing_of_track(tracks)::text AS missing FROM tracks',
  )
  return describeRanges(parseMultirange(rows[0]?.missing ?? ''))
    .split(',')
    .map(Number)
}

test('exactly 1,000 gaps are all listed, and one more moves the horizon', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const track = new NaiveTrack()
  // 1 received, 2 missing, 3 received, …: 1,001 ranges with 1,000 gaps between them.
  await sendAll(
    ledger,
    track,
    evens(0, 1_000).map((even) => even + 1),
  )
  assert.equal((await boundsOf(database.pool)).spilled, 0)
  assert.deepEqual(await listed(database.pool), evens(1, 1_000))
  await sendAll(ledger, track, [2_003])
  assert.deepEqual(
    { ...(await boundsOf(database.pool)), bytes: 0 },
    {
      ranges: mostRanges,
      spilled: 1,
      horizon: 3,
      bytes: 0,
    },
  )
  assert.deepEqual(await listed(database.pool), evens(2, 1_001))
  await assertExact(database.pool, track)
})

test('a sender is told the newest 100 gaps, as of the commit, and the call lists them all', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const track = new NaiveTrack()
  const odd = evens(0, 300).map((even) => even + 1)
  const told = await sendAll(ledger, track, odd)
  const [again] = await sendAll(ledger, track, [1])
  assert.equal(again?.missing, evens(201, 300).join(','))
  assert.equal(told.at(-1)?.missing, evens(201, 300).join(','))
  assert.deepEqual(await listed(database.pool), evens(1, 300))
})

test('ever so late packets are told from duplicates, exactly', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const track = new NaiveTrack()
  await sendAll(ledger, track, evens(1, 3_000))
  const { horizon } = await boundsOf(database.pool)
  assert.equal(horizon, 4_000)
  const duplicate = { duplicate: true, late: false, opensGap: false }
  const late = { duplicate: false, late: true, opensGap: false }
  const told = await sendAll(
    ledger,
    track,
    [2, 3, 3, 1, 0, 0, 4, 3_999, 3_998, 3_999, 4_001, 4_000],
  )
  assert.deepEqual(
    told.map(({ missing: _, ...verdict }) => verdict),
    [
      duplicate,
      late,
      duplicate,
      late,
      late,
      duplicate,
      duplicate,
      late,
      duplicate,
      duplicate,
      late,
      duplicate,
    ],
  )
  await assertExact(database.pool, track)
  const again = await sendAll(ledger, track, [0, 1, 3, 3_999, 4_001, 5, 5_999])
  assert.deepEqual(
    again.map(({ duplicate }) => duplicate),
    [true, true, true, true, true, false, false],
  )
  await assertExact(database.pool, track)
})

test('packet 0 counts below the horizon too, whenever it comes', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  for (const zeroFirst of [true, false]) {
    const callId = zeroFirst ? 'zero-first' : 'zero-last'
    const track = new NaiveTrack()
    if (zeroFirst) await sendAll(ledger, track, [0], callId)
    await sendAll(ledger, track, evens(1, 1_500), callId)
    if (!zeroFirst) await sendAll(ledger, track, [0], callId)
    await assertExact(database.pool, track, callId)
  }
})

test('in any order, with repeats, over thousands of gaps: the account stays exact', async (t) => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const random = seededFor(t)
  const pick = (below: number) => Math.floor(random() * below)
  const track = new NaiveTrack()
  for (let round = 0; round < 40; round += 1) {
    const reach = 2_000 + round * 200
    const numbers = Array.from({ length: 1 + pick(250) }, () => pick(reach))
    const seen = numbers.map(
      (number, index) => track.received.has(number) || numbers.indexOf(number) < index,
    )
    const told = await sendAll(ledger, track, numbers)
    assert.deepEqual(
      told.map(({ duplicate }) => duplicate),
      seen,
    )
    const { ranges } = await boundsOf(database.pool)
    assert.ok(ranges <= mostRanges, `${ranges} ranges`)
  }
  const { spilled } = await boundsOf(database.pool)
  t.diagnostic(`${track.gaps().length} gaps, ${spilled} ranges spilled`)
  assert.ok(spilled > 300)
  await assertExact(database.pool, track)
})

/** Even numbers from the one with index `first` to the one with index `last`. */
function evens(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => 2 * (first + index))
}

/** Sends packets at once, in order, and gives them to the naive account as well. */
async function sendAll(
  ledger: TestLedger,
  track: NaiveTrack,
  sequences: readonly number[],
  callId = 'call',
): Promise<PacketReceipt[]> {
  const told = await Promise.all(sequences.map((number) => ledger.store(packetOf(callId, number))))
  for (const sequence of sequences) track.take(sequence)
  return told
}

async function boundsOf(pool: Pool) {
  const { rows } = await pool.query<{
    ranges: number
    spilled: number
    horizon: number
    bytes: number
  }>(
    `SELECT multirange_count(received) AS ranges,
       (SELECT count(*) FROM spilled_ranges WHERE call = tracks.call) AS spilled, horizon,
       pg_column_size(received + '{}') AS bytes
     FROM tracks`,
  )
  assert.ok(rows[0])
  return rows[0]
}

/** The row, the spilled ranges and the segments all hold exactly the numbers that were sent. */
async function assertExact(pool: Pool, track: NaiveTrack, callId = 'call'): Promise<void> {
  const call = await readCall(pool, callId)
  assert.equal(call.total_packets, track.received.size)
  assert.equal(call.missing_count, track.missingCount())
  const { rows } = await pool.query(
    `SELECT duplicates, late, has_zero, (
       SELECT array_agg(number ORDER BY number) FROM (
         SELECT generate_series(lower(r), upper(r) - 1) AS number FROM unnest(received) AS r
         UNION ALL
         SELECT generate_series(first_sequence, last_sequence) FROM spilled_ranges
         WHERE (call, track) = (tracks.call, tracks.track)
       ) AS kept
     ) AS kept
     FROM tracks WHERE call = $1`,
    [call.id],
  )
  const sent = track.sorted()
  assert.deepEqual(rows, [
    {
      duplicates: track.duplicates,
      late: track.late,
      has_zero: track.received.has(0),
      kept: sent,
    },
  ])
  const stored = await storedPackets(pool, callId)
  assert.deepEqual(
    stored.map(({ sequence }) => sequence),
    sent,
  )
}
