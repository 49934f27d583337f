// One batch of packets as the parameters of commit_packets(), and its answer as a receipt for each packet.
// Pure.
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
}

/**
 * The parameters of commit_packets(), less the packet timeout. Arrays are written as PostgreSQL reads them: the
 * driver would look at every element.
 */
export type BatchParameters = [
  callIds: string,
  tracks: string,
  encodings: string,
  firsts: string,
  lasts: string,
  starts: string,
  lengths: string,
  received: string,
  repeats: string,
  late: string,
  sequences: string,
  timestamps: string,
  sizes: string,
  payload: Uint8Array,
]

/** Writes a batch as parameters; a sequence repeated within a group goes in once, the first wins. */
export function batchParameters(groups: readonly PacketGroup[]): BatchParameters {
  const callIds: string[] = []
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
  const payloads: Uint8Array[] = []
  let bytes = 0
  for (const { callId, packets } of groups) {
    const [head] = packets
    if (head === undefined) continue
    const account = new SequenceAccount(emptyAccount())
    const packetsBefore = sequences.length
    const bytesBefore = bytes
    let lateHere = 0
    for (const packet of packets) {
      const verdict = account.receive(packet.sequence)
      if (verdict.duplicate) continue
      if (verdict.late) lateHere += 1
      sequences.push(packet.sequence)
      timestamps.push(packet.timestamp)
      sizes.push(packet.payload.length)
      payloads.push(packet.payload)
      bytes += packet.payload.length
    }
    callIds.push(callId)
    tracks.push(head.track)
    encodings.push(head.encoding)
    firsts.push(packetsBefore + 1)
    lasts.push(sequences.length)
    starts.push(bytesBefore + 1)
    lengths.push(bytes - bytesBefore)
    received.push(account.received)
    repeats.push(packets.length - (sequences.length - packetsBefore))
    late.push(lateHere)
  }
  return [
    textArray(callIds),
    `{${tracks.join()}}`,
    `{${encodings.join()}}`,
    `{${firsts.join()}}`,
    `{${lasts.join()}}`,
    `{${starts.join()}}`,
    `{${lengths.join()}}`,
    textArray(received),
    `{${repeats.join()}}`,
    `{${late.join()}}`,
    `{${sequences.join()}}`,
    `{${timestamps.join()}}`,
    `{${sizes.join()}}`,
    Buffer.concat(payloads, bytes),
  ]
}

function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join()}}`
}

const usual: PacketReceipt = { ...inOrder, missing: '' }

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
