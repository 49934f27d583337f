// commit_packets() batch by batch, against sets of numbers: groups of every kind side by side in one batch, and
// batches as large as they come.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import { GatewayError } from '../../src/errors.ts'
import { commitParameters, receipts } from '../../src/ledger/batch.ts'
import { type Packet, type TrackName, trackNames } from '../../src/ledger/packet.ts'
import { type PacketGroup, sequencesOf } from '../../src/ledger/packet-group.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import type { Random } from '../../src/random.ts'
import { contentOf, groupOf, packetOf, packetsOf } from '../support/calls.ts'
import { connect, createDatabase } from '../support/database.ts'
import { NaiveTrack } from '../support/naive-track.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'

test('a batch may have groups of every kind, and each is treated as if it came alone', async (t) => {
  await using database = await createDatabase()
  await using holder = await connect(database.url)
  const { pool } = database
  const random = seededFor(t)
  const model = new Model()
  const kinds = new Map<string, number>()
  let mixed = 0
  for (let round = 0; round < 120; round += 1) {
    const groups = drawGroups(random, model, round)
    const callIds = [...new Set(groups.map(({ callId }) => callId))]
    const known = callIds.filter((callId) => model.knows(callId))
    const held = known.filter(() => random() < 0.15)
    const sealed = known.filter(() => random() < 0.03)
    for (const callId of sealed) model.sealed.add(callId)
    await pool.query('UPDATE calls SET sealed_at = now() WHERE call_id = ANY ($1)', [sealed])
    await holder.query('BEGIN')
    await holder.query('SELECT FROM calls WHERE call_id = ANY ($1) FOR UPDATE', [held])
    const seen = groups.map((group) => model.kindOf(group, new Set(held)))
    await commitAndCompare(pool, model, groups, new Set(held))
    await holder.query('COMMIT')
    for (const kind of seen) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (new Set(seen).size === 5) mixed += 1
  }
  t.diagnostic([...kinds].map(([kind, times]) => `${times} ${kind}`).join(', '))
  t.diagnostic(`${mixed} batches with groups of all five kinds`)
  assert.ok(mixed > 20)
  await assertStored(pool, model)
})

test('the first packets of a call may come in any order, on all its tracks at once', async (t) => {
  await using database = await createDatabase()
  const random = seededFor(t)
  const model = new Model()
  const orders: ((numbers: number[]) => number[])[] = [
    (numbers) => numbers.toReversed(),
    (numbers) => shuffle(random, numbers),
    (numbers) => shuffle(random, [...numbers, ...numbers]),
    (numbers) => [...numbers.filter((n) => n % 2 === 0), ...numbers.filter((n) => n % 2 === 1)],
    (numbers) => [numbers.at(-1) ?? 0, ...numbers.slice(0, -1), 0, 0],
    (numbers) => shuffle(random, numbers).filter((n) => n % 3 > 0),
  ]
  const groups = orders.flatMap((inOrder, place) =>
    trackNames.map((track) => {
      const numbers = Array.from({ length: 60 + Math.floor(random() * 60) }, (_, n) => n + 1)
      return drawGroup(random, `order-${place}`, track, inOrder(numbers))
    }),
  )
  await commitAndCompare(database.pool, model, shuffle(random, groups))
  await commitAndCompare(database.pool, model, shuffle(random, groups))
  await assertStored(database.pool, model)
})

/** All calls, as anybody would keep them. */
class Model {
  readonly sealed = new Set<string>()
  readonly tracks = new Map<string, NaiveTrack>()
  readonly packets = new Map<string, Packet[]>()

  knows(callId: string): boolean {
    return this.packets.has(callId)
  }

  track(callId: string, track: string): NaiveTrack {
    return this.tracks.get(`${callId} ${track}`) ?? new NaiveTrack()
  }

  /** How commit_packets() will have to treat a group. */
  kindOf(group: PacketGroup, held: ReadonlySet<string>): string {
    const { callId, track } = group
    if (held.has(callId)) return 'locked'
    if (this.sealed.has(callId)) return 'sealed'
    const { received, highest } = this.track(callId, track)
    if (received.size === 0) return 'first'
    const least = Math.min(...sequencesOf(group))
    return least > highest ? 'appending' : 'other'
  }

  /** Takes a group that is stored; what its senders are to be told. */
  take(group: PacketGroup): unknown[] {
    const { callId } = group
    const track = this.track(callId, group.track)
    this.tracks.set(`${callId} ${group.track}`, track)
    return packetsOf(group).map((packet) => {
      const receipt = track.receive(packet.sequence)
      if (!receipt.duplicate)
        this.packets.set(callId, [...(this.packets.get(callId) ?? []), packet])
      return receipt
    })
  }
}

/** Commits a batch and compares everything that it says with the model. */
async function commitAndCompare(
  pool: Pool,
  model: Model,
  groups: readonly PacketGroup[],
  held: ReadonlySet<string> = new Set(),
): Promise<void> {
  const newCalls = new Set(groups.map(({ callId }) => callId).filter((id) => !model.knows(id)))
  const answer = await commitPackets(pool, ...commitParameters(groups), 300)
  assert.equal(answer.length, groups.length)
  const byOrdinal = new Map(answer.map((stored) => [stored.ordinal, stored]))
  for (const [place, group] of groups.entries()) {
    const stored = byOrdinal.get(place + 1)
    assert.ok(stored, `nothing is said of group ${place + 1}`)
    const { callId } = group
    const kind = model.kindOf(group, held)
    const outcome = kind === 'locked' || kind === 'sealed' ? kind : 'stored'
    assert.equal(stored.outcome, outcome, callId)
    assert.equal(stored.created, newCalls.has(callId), `${callId} created`)
    if (outcome === 'locked') continue
    const told = receipts(group, stored).map((one) =>
      one instanceof GatewayError ? one.code : one,
    )
    const track = model.track(callId, group.track)
    const repeat = { duplicate: true, late: false, opensGap: false, missing: track.missing() }
    const expected =
      outcome === 'stored'
        ? model.take(group)
        : sequencesOf(group).map((sequence) =>
            track.received.has(sequence) ? repeat : 'call_sealed',
          )
    assert.deepEqual(told, expected, `${callId}, ${kind}`)
  }
}

/** Groups of some calls, one to three tracks each; calls come and go. */
function drawGroups(random: Random, model: Model, round: number): PacketGroup[] {
  const names = Array.from({ length: 40 }, (_, index) => `call-${round + index}`)
  const calls = names.filter(() => random() < 0.4)
  const groups = calls.flatMap((callId) =>
    trackNames
      .filter((_, place) => random() < (place === 0 ? 1 : 0.3))
      .map((track) => drawGroup(random, callId, track, drawNumbers(random, model, callId, track))),
  )
  return shuffle(random, groups)
}

function drawNumbers(random: Random, model: Model, callId: string, track: string): number[] {
  const { highest } = model.track(callId, track)
  const count = 1 + Math.floor(random() * 12)
  const next = Array.from({ length: count }, (_, n) => highest + 1 + n)
  const draw = random()
  if (draw < 0.4) return next
  if (draw < 0.5) return next.map((n) => n + Math.floor(random() * 5))
  if (draw < 0.6) return shuffle(random, next)
  if (draw < 0.7) return [Math.max(0, highest - 1), ...next]
  return next.map(() => Math.floor(random() * (highest + 4)))
}

function drawGroup(random: Random, callId: string, track: TrackName, numbers: number[]) {
  const encoding = random() < 0.5 ? 'text' : 'binary'
  const packets = numbers.map((sequence) => {
    const length = random() < 0.02 ? 9_000 : Math.floor(random() * 40)
    const payload = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
    return packetOf(callId, sequence, { track, encoding, payload, timestamp: random() })
  })
  return groupOf(packets)
}

function shuffle<T>(random: Random, values: readonly T[]): T[] {
  const keyed = values.map((value) => ({ value, key: random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value)
}

/** The accounts and the bytes in the database are those of the model. */
async function assertStored(pool: Pool, model: Model): Promise<void> {
  const { rows } = await pool.query(
    `SELECT call_id || ' ' || track AS key, packets, duplicates, late, has_zero,
       ARRAY(SELECT generate_series(lower(r), upper(r) - 1) FROM unnest(received) AS r) AS received
     FROM tracks JOIN calls ON calls.id = tracks.call`,
  )
  const accounts = new Map(rows.map(({ key, ...account }) => [String(key), account]))
  assert.equal(accounts.size, model.tracks.size)
  for (const [key, track] of model.tracks)
    assert.deepEqual(
      accounts.get(key),
      {
        packets: track.received.size,
        duplicates: track.duplicates,
        late: track.late,
        has_zero: track.received.has(0),
        received: track.sorted(),
      },
      key,
    )
  for (const [callId, packets] of model.packets) {
    const sent = packets.map(contentOf).map(({ track, sequence, timestamp, payload }) => ({
      track: String(track),
      sequence,
      timestamp,
      data: payload,
    }))
    assert.deepEqual(byTrack(await storedPackets(pool, callId)), byTrack(sent), callId)
  }
}

function byTrack<T extends { readonly track: string; readonly sequence: number }>(
  packets: readonly T[],
): T[] {
  return packets.toSorted((a, b) => a.track.localeCompare(b.track) || a.sequence - b.sequence)
}
