// One batch of packets as the parameters of store_packets(), and its answer as a receipt for each packet.
// Pure.
import { GatewayError } from '../errors.ts'
import type { Packet, PacketReceipt } from './packet.ts'
import { emptyAccount, SequenceAccount } from './sequence-account.ts'
import { SequenceRanges } from './sequence-ranges.ts'

/** The packets of one call and track that go into one batch, in the order of arrival. */
export type PacketGroup<P extends Packet = Packet> = {
  readonly callId: string
  readonly packets: readonly P[]
}

/** What store_packets() says of a group. */
export type StoredGroup = {
  readonly ordinal: number
  readonly outcome: 'stored' | 'sealed' | 'locked'
  readonly prior: string
  readonly horizon: number
  readonly has_zero: boolean
  readonly created: boolean
}

/** The parameters of store_packets(), less the packet timeout. */
export type BatchParameters = [
  callIds: string[],
  tracks: string[],
  encodings: string[],
  firsts: number[],
  lasts: number[],
  received: string[],
  repeats: number[],
  late: number[],
  sequences: number[],
  timestamps: number[],
  sizes: number[],
  starts: number[],
  payload: Uint8Array,
]

/** Writes a batch as parameters; a sequence repeated within a group goes in once, the first wins. */
export function batchParameters(groups: readonly PacketGroup[]): BatchParameters {
  const callIds: string[] = []
  const tracks: string[] = []
  const encodings: string[] = []
  const firsts: number[] = []
  const lasts: number[] = []
  const received: string[] = []
  const repeats: number[] = []
  const late: number[] = []
  const sequences: number[] = []
  const timestamps: number[] = []
  const sizes: number[] = []
  const starts: number[] = []
  const payloads: Uint8Array[] = []
  let start = 1
  for (const { callId, packets } of groups) {
    const [head] = packets
    if (head === undefined) continue
    const account = new SequenceAccount(emptyAccount())
    const ranges = new SequenceRanges()
    const before = sequences.length
    let lateHere = 0
    for (const packet of packets) {
      const verdict = account.receive(packet.sequence)
      if (verdict.duplicate) continue
      if (verdict.late) lateHere += 1
      ranges.add(packet.sequence)
      sequences.push(packet.sequence)
      timestamps.push(packet.timestamp)
      sizes.push(packet.payload.length)
      starts.push(start)
      payloads.push(packet.payload)
      start += packet.payload.length
    }
    callIds.push(callId)
    tracks.push(head.track)
    encodings.push(head.encoding)
    firsts.push(before + 1)
    lasts.push(sequences.length)
    received.push(ranges.toString())
    repeats.push(packets.length - (sequences.length - before))
    late.push(lateHere)
  }
  const payload = Buffer.concat(payloads, start - 1)
  return [
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
  ]
}

/**
 * Replays a committed (or sealed) group and says for each of its packets what became of it. A packet for a
 * sealed call is refused, except a repeat of one that is stored: its sender may not have heard the answer.
 */
export function receipts(
  group: PacketGroup,
  stored: StoredGroup,
): (PacketReceipt | GatewayError)[] {
  const account = new SequenceAccount({
    received: SequenceRanges.parse(stored.prior),
    hasZero: stored.has_zero,
    horizon: stored.horizon,
  })
  const told = group.packets.map(({ callId, sequence }) => {
    if (stored.outcome === 'sealed' && !account.has(sequence))
      return new GatewayError(
        'call_sealed',
        `The analysis of call ${callId} has begun; packet ${sequence} was not stored`,
      )
    const verdict = account.receive(sequence)
    // Where much is missing, the packets of a batch are told the same: what is missing after all of them.
    return { ...verdict, missing: account.isMissingMuch ? undefined : account.missing() }
  })
  return told.map((receipt) =>
    receipt instanceof GatewayError
      ? receipt
      : { ...receipt, missing: receipt.missing ?? account.missing() },
  )
}
