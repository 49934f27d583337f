// A group commit whose database, clock and timers are in the hands of the test.
import { GatewayError } from '../../src/errors.ts'
import {
  createGroupCommit,
  type GroupCommitLimits,
  type GroupOutcome,
} from '../../src/ledger/group-commit.ts'
import type { Packet, PacketSender } from '../../src/ledger/packet.ts'
import { eachPacket, type PacketGroup, runOf, sequencesOf } from '../../src/ledger/packet-group.ts'

/** A batch on its way to a database that answers when the test says so. */
export type Batch = {
  readonly groups: readonly PacketGroup[]
  /** `call:sequences` of each group, as in `a:1,2`. */
  readonly text: string
  /** Answers; without an argument everything is stored. */
  readonly answer: (outcome?: (group: PacketGroup) => 'stored' | 'locked') => Promise<void>
  readonly fail: (error: unknown) => Promise<void>
}

/** What the test holds in its hands. */
export type HandCommit = {
  readonly commits: {
    /** Resolves with the packet's receipt; rejects with its refusal. */
    readonly store: (packet: Packet) => Promise<string>
    readonly isFull: () => boolean
    readonly close: () => Promise<void>
  }
  /** The batch in flight, once everything that can happen without an answer has happened. */
  readonly inFlight: () => Promise<Batch | undefined>
  /** Lets so many milliseconds pass, and the timers that are due go off. */
  readonly pass: (milliseconds: number) => Promise<void>
  /** How many timers are set. */
  readonly timers: () => number
  /** Whatever senders were told, in that order. */
  readonly told: readonly Telling[]
}

/** What became of a packet: its receipt, or the code of its refusal. */
export type Telling = { readonly packet: Packet; readonly what: string }

/** What a failed commit means in these tests: the text of the error says it. */
export type Failure = 'data' | 'lock' | 'unavailable'

const wide: GroupCommitLimits = {
  maxPackets: 1_000,
  maxBytes: 100_000,
  maxBatchPackets: 100,
  maxBatchBytes: 10_000,
  refusesWhenFull: true,
  lingerMs: 0,
  lockPatienceMs: 5_000,
  databasePatienceMs: Number.POSITIVE_INFINITY,
}

/** Opens a group commit. The receipt of a packet is `call:sequence`. */
export function openByHand(limits: Partial<GroupCommitLimits> = {}): HandCommit {
  let clock = 1_000_000
  let current: Batch | undefined
  let due: { at: number; run: () => void }[] = []
  const told: Telling[] = []

  function commit(groups: readonly PacketGroup[]): Promise<GroupOutcome<string>[]> {
    if (current !== undefined) throw new Error('two batches are in flight at once')
    const { promise, resolve, reject } = Promise.withResolvers<GroupOutcome<string>[]>()
    const settle = async (done: () => void): Promise<void> => {
      current = undefined
      done()
      await quiet()
    }
    current = {
      groups,
      text: groups.map(describeGroup).join(' '),
      answer: (outcome = () => 'stored') =>
        settle(() =>
          resolve(
            groups.map((group) => (outcome(group) === 'locked' ? 'locked' : receipts(group))),
          ),
        ),
      fail: (error) => settle(() => reject(error)),
    }
    return promise
  }

  const setTimer = (run: () => void, milliseconds: number): void => {
    due.push({ at: clock + milliseconds, run })
  }
  const { store, ...commits } = createGroupCommit<string>({
    limits: { ...wide, ...limits },
    commit,
    classify: (error) => error as Failure,
    onError: () => {},
    now: () => clock,
    setTimer,
    setWatch: setTimer,
  })

  const waiting = new Map<string, PacketSender<string>[]>()
  /** One for all packets, as that of a stream: those that follow one another may go as one. */
  const sender: PacketSender<string> = {
    settled: (run, outcome) =>
      eachPacket([run], (packet) => {
        told.push({ packet, what: outcome instanceof GatewayError ? outcome.code : outcome })
        waiting.get(keyOf(packet))?.shift()?.settled(runOf(packet), outcome)
      }),
  }

  function noted(packet: Packet, one: PacketSender<string>): void {
    waiting.set(keyOf(packet), [...(waiting.get(keyOf(packet)) ?? []), one])
    store(packet, sender)
  }

  return {
    commits: { ...commits, store: (packet) => storeWith(noted, packet) },
    inFlight: async () => {
      await quiet()
      return current
    },
    pass: async (milliseconds) => {
      clock += milliseconds
      const now = due.filter(({ at }) => at <= clock)
      due = due.filter(({ at }) => at > clock)
      for (const { run } of now) run()
      await quiet()
    },
    timers: () => due.length,
    told,
  }
}

function receipts(group: PacketGroup): string[] {
  return sequencesOf(group).map((sequence) => `${group.callId}:${sequence}`)
}

function describeGroup(group: PacketGroup): string {
  return `${group.callId}:${sequencesOf(group).join(',')}`
}

function keyOf({ callId, track, sequence }: Packet): string {
  return `${callId} ${track} ${sequence}`
}

/** Nothing but promises and immediates is at work here: after a few turns of the event loop all is done. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Hands a packet in; resolves with its receipt, rejects with its refusal. */
export function storeWith<Receipt>(
  store: (packet: Packet, sender: PacketSender<Receipt>) => void,
  packet: Packet,
): Promise<Receipt> {
  return new Promise((resolve, reject) =>
    store(packet, {
      settled: (_packets, outcome) =>
        outcome instanceof GatewayError ? reject(outcome) : resolve(outcome),
    }),
  )
}
