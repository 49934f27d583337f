// What happens to the packets of one call on their way: which are sent when, which never, which twice. Pure
// and drawn from a seed before the first packet leaves, so the truth about a call is known exactly.
import type { Random } from '../random.ts'
import { packetSeconds } from './recordings.ts'

/** The quality of the simulated network; shares are 0 to 1. */
export type NetworkOptions = {
  /** The share of packets that are never sent. */
  readonly loss: number
  /** The share of packets that leave 1 to 5 packet times late. */
  readonly reorder: number
  /** The share of packets that are sent twice. */
  readonly duplicates: number
  /** The greatest delay of every packet in seconds, drawn evenly from 0. */
  readonly jitter: number
}

/** One sending of one packet. */
export type PlannedPacket = {
  /** From 1. */
  readonly sequence: number
  /** Seconds of the call's own time since its first packet was due. */
  readonly at: number
}

/** The truth about one call. */
export type CallPlan = {
  /** Every sending, in order of time. At least one. */
  readonly packets: readonly PlannedPacket[]
  /** How many packets are sent at least once. */
  readonly sent: number
  /** The sequences that are never sent, ascending. */
  readonly dropped: readonly number[]
  /** The sequences that are sent twice, ascending. */
  readonly duplicated: readonly number[]
  /** The dropped sequences that a receiver can miss: those below the highest that is sent. */
  readonly missing: readonly number[]
}

const longestReordering = 5

/**
 * Plans a call of `count` packets (1 or more). Every packet takes the same number of draws, so that a
 * packet's fate does not depend on the options of the others. A call is never lost entirely: if the draw
 * drops all packets, the first is sent.
 */
export function planCall(count: number, options: NetworkOptions, random: Random): CallPlan {
  const packets: PlannedPacket[] = []
  const dropped: number[] = []
  const duplicated: number[] = []
  let highest = 0
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const isDropped = random() < options.loss
    const jitter = random() * options.jitter
    const isLate = random() < options.reorder
    const lateness = (1 + Math.floor(random() * longestReordering)) * packetSeconds
    const isDuplicated = random() < options.duplicates
    const secondAfter = random() * longestReordering * packetSeconds
    if (isDropped) {
      dropped.push(sequence)
      continue
    }
    const at = (sequence - 1) * packetSeconds + jitter + (isLate ? lateness : 0)
    packets.push({ sequence, at })
    highest = sequence
    if (!isDuplicated) continue
    duplicated.push(sequence)
    packets.push({ sequence, at: at + secondAfter })
  }
  if (packets.length === 0) {
    dropped.shift()
    packets.push({ sequence: 1, at: 0 })
    highest = 1
  }
  packets.sort((one, other) => one.at - other.at)
  const missing = dropped.filter((sequence) => sequence < highest)
  return { packets, sent: packets.length - duplicated.length, dropped, duplicated, missing }
}

/** A call of `count` packets of which nothing but `dropped` is lost, and every other leaves when it is due. */
export function perfectPlan(count: number, dropped: readonly number[] = []): CallPlan {
  const lost = new Set(dropped)
  const packets = Array.from({ length: count }, (_, index) => ({
    sequence: index + 1,
    at: index * packetSeconds,
  })).filter(({ sequence }) => !lost.has(sequence))
  const highest = packets.at(-1)?.sequence ?? 0
  return {
    packets,
    sent: packets.length,
    dropped,
    duplicated: [],
    missing: dropped.filter((sequence) => sequence < highest),
  }
}

/** The plan on a wire without numbers: what comes is the order, so nothing overtakes and nothing comes twice. */
export function inOrder(plan: CallPlan): CallPlan {
  const firstSendings = new Map<number, number>()
  for (const { sequence, at } of plan.packets)
    if (!firstSendings.has(sequence)) firstSendings.set(sequence, at)
  let latest = 0
  const packets = [...firstSendings]
    .sort(([one], [other]) => one - other)
    .map(([sequence, at]) => {
      latest = Math.max(latest, at)
      return { sequence, at: latest }
    })
  return { ...plan, packets, duplicated: [] }
}
