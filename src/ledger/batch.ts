// One batch of packets as the parameters of commit_packets(), and its answer as a receipt for each packet.
// Pure.
import { concatenated, Scratch, sizeOf } from '../byte-range.ts'
import { float8Array, int4Array, int8Array } from '../database/binary-array.ts'
import { GatewayError } from '../errors.ts'
import type { PacketReceipt } from './packet.ts'
import {
  eachPacket,
  isInSequence,
  type PacketGroup,
  type PacketRun,
  runOf,
  sequencesOf,
} from './packet-group.ts'
import { emptyAccount, inOrder, type PacketVerdict, SequenceAccount } from './sequence-account.ts'
import { SequenceRanges } from './sequence-ranges.ts'

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

/**
 * The parameters of commit_packets(), less the packet timeout.
 * @param scratch memory for the payloads
 */
export function batchParameters(
  groups: readonly PacketGroup[],
  scratch = new Scratch(),
): [callIds: string, ...PacketParameters] {
  return [textArray(groups.map(({ callId }) => callId)), ...packetParameters(groups, scratch)]
}

/**
 * Writes the packets of a batch as parameters; a sequence repeated within a group goes in once, the first wins.
 * @param scratch memory for the payloads
 */
export function packetParameters(
  groups: readonly PacketGroup[],
  scratch = new Scratch(),
): PacketParameters {
  const tracks: string[] = []
  const encodings: string[] = []
  const firsts: number[] = []
  const lasts: number[] = []
  const starts: number[] = []
  const lengths: number[] = []
  const accounts: string[] = []
  const repeats: number[] = []
  const lates: number[] = []
  const sequences: number[] = []
  const timestamps: number[] = []
  const sizes: number[] = []
  const payloads: PacketRun[] = []
  let bytes = 0
  for (const group of groups) {
    const packetsBefore = sequences.length
    const bytesBefore = bytes
    const { runs, received, late } = accountOf(group)
    for (const run of runs) {
      run.timestamps.forEach((timestamp, nth) => {
        sequences.push(run.sequence + nth)
        timestamps.push(timestamp)
        sizes.push(run.size)
      })
      payloads.push(run)
      bytes += sizeOf(run)
    }
    tracks.push(group.track)
    encodings.push(group.encoding)
    firsts.push(packetsBefore + 1)
    lasts.push(sequences.length)
    starts.push(bytesBefore + 1)
    lengths.push(bytes - bytesBefore)
    accounts.push(received)
    repeats.push(group.packets - (sequences.length - packetsBefore))
    lates.push(late)
  }
  return [
    `{${tracks.join()}}`,
    `{${encodings.join()}}`,
    `{${firsts.join()}}`,
    `{${lasts.join()}}`,
    `{${starts.join()}}`,
    `{${lengths.join()}}`,
    textArray(accounts),
    `{${repeats.join()}}`,
    `{${lates.join()}}`,
    int8Array(sequences),
    float8Array(timestamps),
    int4Array(sizes),
    concatenated(payloads, bytes, scratch),
  ]
}

type GroupAccount = {
  /** Without repeats. */
  readonly runs: readonly PacketRun[]
  readonly received: string
  readonly late: number
}

function accountOf(group: PacketGroup): GroupAccount {
  const first = group.runs[0]?.sequence ?? 0
  // Nearly every group is one packet after the other: there is nothing to find out.
  if (isInSequence(group))
    return { runs: group.runs, received: `{[${first},${first + group.packets})}`, late: 0 }
  const account = new SequenceAccount(emptyAccount())
  const runs: PacketRun[] = []
  let late = 0
  eachPacket(group, group.runs, (packet) => {
    const verdict = account.receive(packet.sequence)
    if (!verdict.duplicate) runs.push(runOf(packet))
    if (verdict.late) late += 1
  })
  return { runs, received: account.received, late }
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
  const told = sequencesOf(group).map((sequence, place) => {
    if (stored.outcome === 'sealed' && !account.has(sequence))
      return new GatewayError(
        'call_sealed',
        `The analysis of call ${group.callId} has begun; packet ${sequence} was not stored`,
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
