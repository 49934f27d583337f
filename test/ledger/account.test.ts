// The account in the database, packet by packet, against a set of numbers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../src/byte-range.ts'
import type { Pool } from '../../src/database/pool.ts'
import { type Packet, type PacketReceipt, trackNames } from '../../src/ledger/packet.ts'
import { readPackets } from '../../src/ledger/read-packets.ts'
import type { Random } from '../../src/random.ts'
import { packetOf, readCall, storeCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import { openLedger } from '../support/ledger.ts'
import { NaiveTrack } from '../support/naive-track.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'

const highest = Number.MAX_SAFE_INTEGER

/** What is known of a track without asking the database. */
type Expected = { readonly account: NaiveTrack; readonly packets: Map<number, Packet> }

test('thousands of packets in any order, repeated, late, from 0, with jumps: the account is exact', async (t) => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const random = seededFor(t)
  const expected = new Map<string, Expected>()
  let arrivals = 0
  for (let round = 0; arrivals < 2_500; round += 1) {
    const sent = drawBatch(random, expected, round)
    const told = await Promise.all(sent.map(({ packet }) => ledger.store(packet)))
    assert.deepEqual(
      told,
      sent.map(({ receipt }) => receipt),
    )
    arrivals += sent.length
  }
  t.diagnostic(`${arrivals} packets on ${expected.size} tracks`)
  await assertStored(database.pool, expected)
})

test('whatever the size of a batch, the account is the same', async (t) => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const random = seededFor(t)
  const arrivals = Array.from({ length: 120 }, () => Math.floor(random() * 60))
  for (const size of [1, 2, 7, 120]) {
    const callId = `by-${size}`
    for (let start = 0; start < arrivals.length; start += size)
      await Promise.all(
        arrivals.slice(start, start + size).map((number) => ledger.store(packetOf(callId, number))),
      )
  }
  const accounts = await accountsOf(database.pool)
  const [first, ...others] = accounts.values()
  assert.equal(accounts.size, 4)
  for (const other of others) assert.deepEqual(other, first)
})

test('a jump to 2^53 - 1 is one more range, and the next packet is as welcome as any', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const told: PacketReceipt[] = []
  for (const sequence of [1, highest, 2, highest, highest - 1])
    told.push(await ledger.store(packetOf('far', sequence)))
  const usual = { duplicate: false, late: false, opensGap: false, missing: '' }
  assert.deepEqual(told, [
    usual,
    { ...usual, opensGap: true, missing: '2-9007199254740990' },
    { ...usual, late: true, missing: '3-9007199254740990' },
    { ...usual, duplicate: true, missing: '3-9007199254740990' },
    { ...usual, late: true, missing: '3-9007199254740989' },
  ])
  const call = await readCall(database.pool, 'far')
  assert.equal(call.missing_count, highest - 4)
  assert.equal(call.total_packets, 4)
  const [account] = (await accountsOf(database.pool)).values()
  assert.equal(account?.received, '{[1,3),[9007199254740990,9007199254740992)}')
})

test('many first packets of one call at the same instant all count, and the call is created once', async () => {
  await using database = await createDatabase()
  await using one = openLedger(database.url)
  await using two = openLedger(database.url)
  for (let round = 0; round < 50; round += 1) {
    const callId = `new-${round}`
    const told = await Promise.all(
      [1, 2, 3, 4].map((number) => (number % 2 ? one : two).store(packetOf(callId, number))),
    )
    assert.ok(told.every(({ duplicate }) => !duplicate))
    const call = await readCall(database.pool, callId)
    assert.deepEqual([call.total_packets, call.missing], [4, '{}'])
  }
  const { rows } = await database.pool.query(
    'SELECT count(*) AS events, count(DISTINCT call) AS calls FROM events',
  )
  assert.deepEqual(rows, [{ events: 50, calls: 50 }])
})

test('once the analysis has begun a new packet is refused and a repeat is still acknowledged', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  const call = await storeCall(pool, 'sealed', [1, 2, 5])
  await pool.query('UPDATE calls SET sealed_at = now() WHERE id = $1', [call])
  const before = [await accountsOf(pool), await storedPackets(pool, 'sealed')]
  const refusal = { name: 'GatewayError', code: 'call_sealed', status: 409 }
  const [repeat, late, next, otherTrack, otherCall] = await Promise.allSettled([
    ledger.store(packetOf('sealed', 2)),
    ledger.store(packetOf('sealed', 3)),
    ledger.store(packetOf('sealed', 6)),
    ledger.store(packetOf('sealed', 1, { track: 'inbound' })),
    ledger.store(packetOf('open', 1)),
  ])
  assert.deepEqual(repeat, {
    status: 'fulfilled',
    value: { duplicate: true, late: false, opensGap: false, missing: '3,4' },
  })
  for (const { reason } of [late, next, otherTrack] as PromiseRejectedResult[]) {
    const { name, code, status } = reason
    assert.deepEqual({ name, code, status }, refusal)
  }
  assert.equal(otherCall?.status, 'fulfilled')
  await pool.query(`DELETE FROM calls WHERE call_id = 'open'`)
  assert.deepEqual([await accountsOf(pool), await storedPackets(pool, 'sealed')], before)
})

/** Packets of several calls in one batch, and what their senders are to be told. */
function drawBatch(random: Random, expected: Map<string, Expected>, round: number) {
  const pick = (below: number) => Math.floor(random() * below)
  return Array.from({ length: 1 + pick(90) }, () => {
    const callId = `call-${pick(12)}`
    // Most calls send one track; where there are more, they must not touch each other.
    const track = trackNames[callId.endsWith('7') ? pick(3) : 2] ?? 'mixed'
    const key = `${callId} ${track}`
    const { account, packets } = expected.get(key) ?? {
      account: new NaiveTrack(),
      packets: new Map(),
    }
    expected.set(key, { account, packets })
    const sequence = drawSequence(random, account)
    const packet = packetOf(callId, sequence, {
      track,
      timestamp: round + random(),
      encoding: pick(40) === 0 ? 'binary' : 'text',
      payload: Buffer.from(
        Array.from({ length: pick(20) === 0 ? 3_000 : 1 + pick(60) }, () => pick(256)),
      ),
    })
    if (!packets.has(sequence)) packets.set(sequence, packet)
    return { packet, receipt: account.receive(sequence) }
  })
}

function drawSequence(random: Random, { highest: last, received }: NaiveTrack): number {
  const draw = random()
  if (draw < 0.02) return 0
  if (draw < 0.17) return [...received][Math.floor(random() * received.size)] ?? 1
  if (draw < 0.35) return Math.floor(random() * Math.min(last + 2, 400))
  if (draw < 0.45) return Math.min(last + 2 + Math.floor(random() * 15), highest)
  if (draw < 0.453) return highest - Math.floor(random() * 5)
  if (draw < 0.46) return Math.min(last + Math.floor(random() * 1e9), highest)
  return Math.min(last + 1, highest)
}

/** The rows of all tracks, by `call_id track`. */
async function accountsOf(pool: Pool) {
  const { rows } = await pool.query(
    `SELECT call_id || ' ' || track AS key, received::text, packets, duplicates, late, has_zero,
       missing_of_track(tracks)::text AS missing
     FROM tracks JOIN calls ON calls.id = tracks.call`,
  )
  return new Map(rows.map(({ key, ...account }) => [String(key), account]))
}

async function assertStored(pool: Pool, expected: ReadonlyMap<string, Expected>): Promise<void> {
  const accounts = await accountsOf(pool)
  assert.equal(accounts.size, expected.size)
  for (const [key, { account }] of expected)
    assert.deepEqual(
      accounts.get(key),
      {
        received: multirange(account.sorted().map((number) => [number, number + 1])),
        packets: account.received.size,
        duplicates: account.duplicates,
        late: account.late,
        has_zero: account.received.has(0),
        missing: multirange(account.gaps().map(({ first, last }) => [first, last + 1])),
      },
      key,
    )
  for (const callId of new Set([...expected.keys()].map((key) => key.split(' ')[0] ?? '')))
    await assertPackets(pool, callId, expected)
}

/** Every sequence lies in one segment, as it came first, and is read back in order. */
async function assertPackets(
  pool: Pool,
  callId: string,
  expected: ReadonlyMap<string, Expected>,
): Promise<void> {
  const sent = trackNames.flatMap((track) => {
    const { account, packets } = expected.get(`${callId} ${track}`) ?? {}
    return (account?.sorted() ?? []).map((sequence) => {
      const packet = packets?.get(sequence)
      const data = packet === undefined ? undefined : Buffer.from(bytesOf(packet))
      return { track: String(track), sequence, timestamp: packet?.timestamp ?? Number.NaN, data }
    })
  })
  const order = (track: string) => (trackNames as readonly string[]).indexOf(track)
  const stored = await storedPackets(pool, callId)
  assert.deepEqual(
    stored.toSorted((a, b) => order(a.track) - order(b.track)),
    sent,
  )
  const { id, missing_count } = await readCall(pool, callId)
  const read = await Array.fromAsync(readPackets(pool, id), ({ payload, ...packet }) => ({
    ...packet,
    data: Buffer.from(payload),
  }))
  assert.deepEqual(read, sent)
  // Over several tracks it may be more than a number holds exactly.
  const missing = trackNames.map((track) => expected.get(`${callId} ${track}`)?.account)
  const sum = missing.reduce((sum, account) => sum + BigInt(account?.missingCount() ?? 0), 0n)
  assert.equal(missing_count, Number(sum))
}

/** PostgreSQL's text of ranges that do not overlap; neighbours are joined. */
function multirange(ranges: readonly (readonly [first: number, end: number])[]): string {
  const joined: [first: number, end: number][] = []
  for (const [first, end] of ranges) {
    const before = joined.at(-1)
    if (before !== undefined && before[1] === first) before[1] = end
    else joined.push([first, end])
  }
  return `{${joined.map(([first, end]) => `[${first},${end})`).join(',')}}`
}
