// Calls in a given state, made in the database by the product's own statements.
import { bytesOf, rangeOf } from '../../src/byte-range.ts'
import { findCall } from '../../src/calls/statements.ts'
import type { CallStatus } from '../../src/calls/transitions.ts'
import type { Pool } from '../../src/database/pool.ts'
import type { Queryable } from '../../src/database/statement.ts'
import { commitParameters } from '../../src/ledger/batch.ts'
import type { Packet, PacketRun } from '../../src/ledger/packet.ts'
import { eachPacket, type PacketGroup } from '../../src/ledger/packet-group.ts'
import { PayloadMemory } from '../../src/ledger/payload-memory.ts'
import { commitPackets } from '../../src/ledger/statements.ts'
import { TrackQueue } from '../../src/ledger/track-queue.ts'

const packetTimeoutSeconds = 300

/** What a test packet may be otherwise. */
export type PacketChange = Partial<Packet & { readonly payload: Uint8Array }>

/** A packet with a payload that names it. */
export function packetOf(
  callId: string,
  sequence: number,
  { payload = Buffer.from(`packet ${sequence} of ${callId}`), ...change }: PacketChange = {},
): Packet {
  return {
    callId,
    track: 'mixed',
    sequence,
    timestamp: sequence + 1,
    encoding: 'text',
    ...rangeOf(payload),
    ...change,
  }
}

/** What a packet says, wherever its payload is. */
export function contentOf({ memory, start, end, ...fields }: Packet) {
  return { ...fields, payload: Buffer.from(bytesOf({ memory, start, end })) }
}

/** The group of packets of one call, track and encoding. */
export function groupOf(packets: readonly Packet[]): PacketGroup {
  const [first] = packets
  if (first === undefined) throw new RangeError('a group has a packet')
  const queue = new TrackQueue(first.callId, first.track)
  const sender = { settled: () => {} }
  const payloads = new PayloadMemory()
  for (const packet of packets) queue.add(packet, payloads, sender, 0)
  const { callId, track, encoding, runs, packets: count } = queue.take(Infinity, Infinity)
  if (count !== packets.length) throw new RangeError('a group is of one encoding')
  return { callId, track, encoding, runs, packets: count }
}

/** The packets of a group. */
export function packetsOf(group: PacketGroup): Packet[] {
  const packets: Packet[] = []
  eachPacket(group.runs, (packet) => packets.push(packet))
  return packets
}

/** Packets as their sender hears of them when they came at once; those of a track are of one encoding. */
export function runsOf(packets: readonly Packet[]): readonly PacketRun[] {
  const tracks = Map.groupBy(packets, ({ callId, track }) => `${callId} ${track}`)
  return [...tracks.values()].flatMap((ofTrack) => groupOf(ofTrack).runs)
}

/** Stores packets of one call in one batch; returns the call's `id`. */
export async function storeCall(
  pool: Pool,
  callId: string,
  sequences: readonly number[] = [1],
): Promise<number> {
  const packets = sequences.map((sequence) => packetOf(callId, sequence))
  const [group] = await commitPackets(
    pool,
    ...commitParameters([groupOf(packets)]),
    packetTimeoutSeconds,
  )
  if (group?.outcome !== 'stored') throw new Error(`${callId} was not stored`)
  return (await readCall(pool, callId)).id
}

/** The row of a call that exists. */
export async function readCall(db: Queryable, callId: string) {
  const [row] = await findCall(db, callId)
  if (row === undefined) throw new Error(`there is no call ${callId}`)
  return row
}

const paths: Readonly<Record<CallStatus, readonly CallStatus[]>> = {
  IN_PROGRESS: [],
  COMPLETED: ['COMPLETED'],
  PROCESSING_AI: ['COMPLETED', 'PROCESSING_AI'],
  FAILED: ['COMPLETED', 'PROCESSING_AI', 'FAILED'],
  ARCHIVED: ['COMPLETED', 'ARCHIVED'],
}

/** Takes a call that is in progress to another state, by transitions alone. */
export async function bringTo(db: Queryable, call: number, status: CallStatus): Promise<void> {
  for (const next of paths[status]) await transition(db, call, next)
}

/** Calls transition_call(); its next step is due in an hour. */
export async function transition(db: Queryable, call: number, to: CallStatus): Promise<void> {
  const due = to === 'ARCHIVED' ? null : new Date(Date.now() + 3_600_000)
  await db.query('SELECT transition_call($1, $2, $3)', [call, to, due])
}

/** Moves the next step of calls into the past: it is due. */
export async function makeDue(db: Queryable, ...calls: number[]): Promise<void> {
  await db.query(
    `UPDATE calls SET due_at = clock_timestamp() - interval '1 second' WHERE id = ANY ($1)`,
    [calls],
  )
}

/** Everything that is stored of a call but its packets, to see whether anything changed. */
export async function snapshotOf(db: Queryable, call: number): Promise<unknown> {
  const { rows } = await db.query(
    `SELECT to_jsonb(calls) AS call,
       (SELECT jsonb_agg(to_jsonb(attempts) ORDER BY number) FROM attempts WHERE call = calls.id)
         AS attempts,
       (SELECT jsonb_agg(to_jsonb(events) - 'position' ORDER BY id) FROM events
        WHERE call = calls.id) AS events,
       (SELECT jsonb_agg(to_jsonb(tracks) ORDER BY track) FROM tracks WHERE call = calls.id)
         AS tracks,
       (SELECT count(*) FROM segments WHERE call = calls.id) AS segments
     FROM calls WHERE id = $1`,
    [call],
  )
  return rows[0]
}
