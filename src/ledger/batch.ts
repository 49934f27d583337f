// One batch of packets as the parameters of commit_packets(), and its answer as a receipt for each packet.
// Pure.
import { type ByteRange, concatenated, sizeOf } from '../byte-range.ts'
import { float8Array, int4Array, int8Array } from '../database/binary-array.ts'
import { GatewayError } from '../errors.ts'
import type { Packet, PacketReceipt } from './packet.ts'
import { emptyAccount, inOrder, type PacketVerdict, SequenceAccount } from './sequence-account.ts'
import { SequenceRanges } from './sequence-ranges.ts'

/** The packets of one call and track that go into one batch, in the order of arrival. */
export type PacketGroup<P extends Packet = Packet> = {
  readonly callId: string
  readonly packets: readonly P[]
}

/** What commit_packets() says of a group. */
export type StoredGroup = {
  readonly ordinal: number
  readonly outcome: 'stored' | 'sealed' | 'locked'
  readonly prior: string
  readonly horizon: number
  readonly has_zero: boolean
  readonly created: boolean
  /** The number of the call; null when it is locked. */
  readonly call: number | null
}

/**
 * The parameters of commit_packets() and append_packets() after the calls. Arrays are written as PostgreSQL reads
 * them, those with an element for each packet in binary: the driver would look at every element.
 */
export type PacketParameters = [
  tracks: string,
  encodings: string,
  firsts: string,
  lasts: string,
  starts: string,
  lengths: string,
  received: string,
  repeats: string,
  late: string,
  sequences: Uint8Array,
  timestamps: Uint8Array,
  sizes: Uint8Array,
  payload: Uint8Array,
]

/** The parameters of commit_packets(), less the packet timeout. */
export function batchParameters(
  groups: readonly PacketGroup[],
): [callIds: string, ...PacketParameters] {
  return [textArray(groups.map(({ callId }) => callId)), ...packetParameters(groups)]
}

/** Writes the packets of a batch as parameters; a sequence repeated within a group goes in once, the first wins. */
export function packetParameters(groups: readonly PacketGroup[]): PacketParameters {
  const tracks: string[] = []
  const encodings: string[] = []
  const firsts: number[] = []
  const lasts: number[] = []
  const starts: number[] = []
  const lengths: number[] = []
  const received: string[] = []
  const repeats: number[] = []
  const late: number[] = []
  const sequences: number[] = []
  const timestamps: number[] = []
  const sizes: number[] = []
  const payloads: ByteRange[] = []
  let bytes = 0
  for (const { packets } of groups) {
    const [head] = packets
    if (head === undefined) throw new RangeError('a group has no packet')
    // Nearly every group is one packet after the other: there is nothing to find out.
    const account = isRun(packets) ? undefined : new SequenceAccount(emptyAccount())
    const packetsBefore = sequences.length
    const bytesBefore = bytes
    let lateHere = 0
    for (const packet of packets) {
      const verdict = account?.receive(packet.sequence) ?? inOrder
      if (verdict.duplicate) continue
      if (verdict.late) lateHere += 1
      sequences.push(packet.sequence)
      timestamps.push(packet.timestamp)
      const size = sizeOf(packet)
      sizes.push(size)
      payloads.push(packet)
      bytes += size
    }
    tracks.push(head.track)
    encodings.push(head.encoding)
    firsts.push(packetsBefore + 1)
    lasts.push(sequences.length)
    starts.push(bytesBefore + 1)
    lengths.push(bytes - bytesBefore)
    received.push(account?.received ?? `{[${head.sequence},${head.sequence + packets.length})}`)
    repeats.push(packets.length - (sequences.length - packetsBefore))
    late.push(lateHere)
  }
  return [
    `{${tracks.join()}}`,
    `{${encodings.join()}}`,
    `{${firsts.join()}}`,
    `{${lasts.join()}}`,
    `{${starts.join()}}`,
    `{${lengths.join()}}`,
    textArray(received),
    `{${repeats.join()}}`,
    `{${late.join()}}`,
    int8Array(sequences),
    float8Array(timestamps),
    int4Array(sizes),
    concatenated(payloads, bytes),
  ]
}

/** Each packet follows the one before. */
export function isRun(packets: readonly Packet[]): boolean {
  const first = packets[0]?.sequence ?? 0
  return packets.every(({ sequence }, place) => sequence === first + place)
}

function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join()}}`
}

/** The receipt of a packet that simply goes on where a track without a hole ends. */
export const usual: PacketReceipt = { ...inOrder, missing: '' }

/**
 * Replays a committed (or sealed) group and says for each of its packets what became of it. A packet for a
 * sealed call is refused, except a repeat of one that is stored: its sender may not have heard the answer.
 */
export function receipts(
  group: PacketGroup,
  stored: Pick<StoredGroup, 'outcome' | 'prior' | 'horizon' | 'has_zero'>,
): (PacketReceipt | GatewayError)[] {
  const account = new SequenceAccount({
    received: SequenceRanges.parse(stored.prior),
    hasZero: stored.has_zero,
    horizon: stored.horizon,
  })
  // Where much is missing, the packets of a batch are told the same: what is missing after all of them.
  const untold: { place: number; verdict: PacketVerdict }[] = []
  const told = group.packets.map(({ callId, sequence }, place) => {
    if (stored.outcome === 'sealed' && !account.has(sequence))
      return new GatewayError(
        'call_sealed',
        `The analysis of call ${callId} has begun; packet ${sequence} was not stored`,
      )
    const verdict = account.receive(sequence)
    if (account.isMissingMuch) {
      untold.push({ place, verdict })
      return usual
    }
    const missing = account.missing()
    return verdict === inOrder && missing === '' ? usual : { ...verdict, missing }
  })
  for (const { place, verdict } of untold) told[place] = { ...verdict, missing: account.missing() }
  return told
}
