// One batch of packets as the parameters of commit_packets() or append_packets(), and their answer as a receipt for each
// packet. Pure.
import { concatenated, Scratch, sizeOf } from '../byte-range.ts'
import { float8Array, int4Array, int8Array } from '../database/binary-array.ts'
import { GatewayError } from '../errors.ts'
import type { PacketReceipt, PacketRun } from './packet.ts'
import { eachPacket, isInSequence, type PacketGroup, runOf, sequencesOf } from './packet-group.ts'
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

/** What both functions are told of each group. Arrays are written as PostgreSQL reads them. */
type GroupParameters = [
  tracks: string,
  encodings: string,
  firsts: string,
  lasts: string,
  starts: string,
  lengths: string,
  received: string,
  repeats: string,
  late: string,
]

/** What they are told of packets: in binary, as the driver would look at every element. */
type PacketParameters = [
  sequences: Uint8Array,
  timestamps: Uint8Array,
  sizes: Uint8Array,
  payload: Uint8Array,
]

/** The parameters of commit_packets(), less the packet timeout. */
export type CommitParameters = [callIds: string, ...GroupParameters, ...PacketParameters]

/** The parameters of append_packets() after the calls. */
export type AppendParameters = [
  ...GroupParameters,
  listed: string,
  size: string,
  ...PacketParameters,
]

/**
 * Writes the packets of a batch for commit_packets(); a sequence repeated within a group goes in once, the first wins.
 * @param scratch memory for the payloads
 */
export function commitParameters(
  groups: readonly PacketGroup[],
  scratch = new Scratch(),
): CommitParameters {
  const { ofGroups, ofPackets } = write(groups, scratch, () => true)
  return [textArray(groups.map(({ callId }) => callId)), ...ofGroups, ...ofPackets]
}

/**
 * Writes them for append_packets(), which needs no list of packets that follow one another and are of one size.
 * @param scratch memory for the payloads
 */
export function appendParameters(
  groups: readonly PacketGroup[],
  scratch = new Scratch(),
): AppendParameters {
  const { ofGroups, listed, size, ofPackets } = write(groups, scratch, ({ isEven }) => !isEven)
  return [...ofGroups, listed, size, ...ofPackets]
}

type Written = {
  readonly ofGroups: GroupParameters
  readonly listed: string
  readonly size: string
  readonly ofPackets: PacketParameters
}

function write(
  groups: readonly PacketGroup[],
  scratch: Scratch,
  isListed: (account: GroupAccount) => boolean,
): Written {
  const tracks: string[] = []
  const encodings: string[] = []
  const firsts: number[] = []
  const lasts: number[] = []
  const starts: number[] = []
  const lengths: number[] = []
  const received: string[] = []
  const repeats: number[] = []
  const lates: number[] = []
  const listed: number[] = []
  const firstSizes: number[] = []
  const sequences: number[] = []
  const timestamps: number[] = []
  const sizes: number[] = []
  const payloads: PacketRun[] = []
  let bytes = 0
  for (const group of groups) {
    const packetsBefore = timestamps.length
    const bytesBefore = bytes
    const account = accountOf(group)
    const { runs } = account
    const lists = isListed(account)
    listed.push(lists ? sequences.length + 1 : 0)
    firstSizes.push(runs[0]?.size ?? 0)
    for (const run of runs) {
      timestamps.push(...run.timestamps)
      payloads.push(run)
      bytes += sizeOf(run)
      for (let nth = 0; lists && nth < run.timestamps.length; nth += 1) {
        sequences.push(run.sequence + nth)
        sizes.push(run.size)
      }
    }
    tracks.push(group.track)
    encodings.push(group.encoding)
    firsts.push(packetsBefore + 1)
    lasts.push(timestamps.length)
    starts.push(bytesBefore + 1)
    lengths.push(bytes - bytesBefore)
    received.push(account.received)
    repeats.push(group.packets - (timestamps.length - packetsBefore))
    lates.push(account.late)
  }
  return {
    ofGroups: [
      `{${tracks.join()}}`,
      `{${encodings.join()}}`,
      `{${firsts.join()}}`,
      `{${lasts.join()}}`,
      `{${starts.join()}}`,
      `{${lengths.join()}}`,
      textArray(received),
      `{${repeats.join()}}`,
      `{${lates.join()}}`,
    ],
    listed: `{${listed.join()}}`,
    size: `{${firstSizes.join()}}`,
    ofPackets: [
      int8Array(sequences),
      float8Array(timestamps),
      int4Array(sizes),
      concatenated(payloads, bytes, scratch),
    ],
  }
}

type GroupAccount = {
  /** Without repeats. */
  readonly runs: readonly PacketRun[]
  readonly received: string
  readonly late: number
  /** Each packet follows the one before, and all are of one size. */
  readonly isEven: boolean
}

function accountOf(group: PacketGroup): GroupAccount {
  const [first] = group.runs
  // Nearly every group is one packet after the other: there is nothing to find out.
  if (first !== undefined && isInSequence(group)) {
    const received = `{[${first.sequence},${first.sequence + group.packets})}`
    const isEven = group.runs.every(({ size }) => size === first.size)
    return { runs: group.runs, received, late: 0, isEven }
  }
  const account = new SequenceAccount(emptyAccount())
  const runs: PacketRun[] = []
  let late = 0
  eachPacket(group.runs, (packet) => {
    const verdict = account.receive(packet.sequence)
    if (!verdict.duplicate) runs.push(runOf(packet))
    if (verdict.late) late += 1
  })
  return { runs, received: account.received, late, isEven: false }
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
  // Those that simply go on and miss the same share a receipt, so that their sender is told of all at once.
  let last = usual
  const receiptOf = (verdict: PacketVerdict): PacketReceipt => {
    const missing = account.missing()
    if (verdict !== inOrder) return { ...verdict, missing }
    if (missing !== last.missing) last = { ...inOrder, missing }
    return last
  }
  // Where much is missing, the packets of a batch are told the same: what is missing after all of them.
  const untold: { place: number; verdict: PacketVerdict }[] = []
  const told = sequencesOf(group).map((sequence, place) => {
    if (stored.outcome === 'sealed' && !account.has(sequence))
      return new GatewayError(
        'call_sealed',
        `The analysis of call ${group.callId} has begun; packet ${sequence} was not stored`,
      )
    const verdict = account.receive(sequence)
    if (!account.isMissingMuch) return receiptOf(verdict)
    untold.push({ place, verdict })
    return usual
  })
  for (const { place, verdict } of untold) told[place] = receiptOf(verdict)
  return told
}
