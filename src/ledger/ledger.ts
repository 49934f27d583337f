// Packets become durable here. A call always goes through the same lane (one connection, one batch in flight),
// so a gateway never waits for itself; other gateways may feed the same call at any time.
import { failureKind } from '../database/failure.ts'
import type { Pool } from '../database/pool.ts'
import { hashText } from '../random.ts'
import type { Logger } from '../telemetry/logger.ts'
import { commitParameters } from './batch.ts'
import { createBatchCommit } from './batch-commit.ts'
import { createGroupCommit, type GroupCommit, type GroupCommitLimits } from './group-commit.ts'
import { Journal } from './journal.ts'
import type { Packet, PacketReceipt, PacketSender } from './packet.ts'
import { commitPackets } from './statements.ts'
import type { CommitTally } from './tally.ts'
import { createTurnClock } from './turn-clock.ts'

/** The ledger of this process. */
export type Ledger = {
  /** Connects, prepares and plans, so that the first packets need not wait for it. Rejects with a `DatabaseFailure`. */
  readonly warmUp: () => Promise<void>
  /**
   * Hands in a packet whose sender awaits the answer and can do without the packet's being taken: it is
   * committed as soon as can be, and refused soon when the database is slow or gone. The sender is told
   * a receipt after the commit, or a `GatewayError`: call_sealed, call_locked, overloaded,
   * database_unavailable, shutting_down, internal.
   */
  readonly store: (packet: Packet, sender: PacketSender) => void
  /**
   * Hands in a packet of a stream: it may wait a little for others of its call, and waits for the database as
   * long as it takes. The sender hears of call_sealed, call_locked, shutting_down and internal only.
   * Returns whether the stream may go on; else it should not read on until half of its packets are settled.
   */
  readonly append: (packet: Packet, sender: PacketSender) => boolean
  /** Refuses new packets and resolves when those under way are settled. */
  readonly close: () => Promise<void>
}

/** What the ledger needs. */
export type LedgerOptions = {
  /** A pool of its own, of at least {@link ledgerConnections} connections. */
  readonly pool: Pool
  readonly packetTimeoutSeconds: number
  /** How long a packet that was handed to `store` waits for a database that is slow or gone, in seconds. */
  readonly patienceSeconds: number
  readonly logger: Logger
  /** Called after a commit that created calls: there are events to publish. */
  readonly onCallsCreated: () => void
  /** Called after every commit. */
  readonly onCommitted?: (tally: CommitTally) => void
}

/** Batches in flight at once. More than one for single packets makes smaller batches, which cost more. */
const lanes = { single: 1, streamed: 2 }
/** How many connections the ledger uses at once: one a lane, and one that settles for each journal. */
export const ledgerConnections = 2 * lanes.single + lanes.streamed

/** How long packets of streams wait for company: a fifth of the lag that a supervisor would notice. */
const streamLingerMs = 80

const limits = {
  maxBytes: 64 * 2 ** 20,
  maxBatchPackets: 5_000,
  maxBatchBytes: 2 ** 20,
  lockPatienceMs: 5_000,
}

/** Opens the ledger. */
export function createLedger(options: LedgerOptions): Ledger {
  const { pool, logger } = options
  // What streams send comes many at a time, and is not worth being written twice.
  const journalsOfSingle = Array.from({ length: lanes.single }, () => new Journal({ pool, logger }))

  function openLanes(
    count: number,
    change: Omit<GroupCommitLimits, keyof typeof limits>,
    journals: readonly Journal[] = [],
  ): readonly GroupCommit<PacketReceipt>[] {
    return Array.from({ length: count }, (_, lane) => {
      const { commit, wayOf } = createBatchCommit({ ...options, journal: journals[lane] })
      return createGroupCommit<PacketReceipt>({
        limits: { ...limits, ...change },
        commit,
        kindOf: wayOf,
        classify: failureKind,
        onError: (error, packets) =>
          logger.error({ err: error, packets }, 'a batch of packets was not committed'),
        now: createTurnClock(() => performance.now()),
        setTimer: (run, milliseconds) => void setTimeout(run, milliseconds),
        setWatch: (run, milliseconds) => void setTimeout(run, milliseconds).unref(),
      })
    })
  }

  const single = openLanes(
    lanes.single,
    {
      maxPackets: 20_000,
      refusesWhenFull: true,
      lingerMs: 0,
      databasePatienceMs: options.patienceSeconds * 1_000,
    },
    journalsOfSingle,
  )
  const streamed = openLanes(lanes.streamed, {
    // Two batches: with more, packets outlive young collections while they wait.
    maxPackets: 2 * limits.maxBatchPackets,
    refusesWhenFull: false,
    lingerMs: streamLingerMs,
    databasePatienceMs: Number.POSITIVE_INFINITY,
  })

  return {
    warmUp: async () => {
      const nothing = commitParameters([])
      await Promise.all(
        Array.from({ length: ledgerConnections }, () =>
          commitPackets(pool, ...nothing, options.packetTimeoutSeconds),
        ),
      )
    },
    store: (packet, sender) => laneOf(single, packet).store(packet, sender),
    append: (packet, sender) => {
      const lane = laneOf(streamed, packet)
      lane.store(packet, sender)
      return !lane.isFull()
    },
    close: async () => {
      await Promise.all([...single, ...streamed].map((lane) => lane.close()))
      await Promise.all(journalsOfSingle.map((journal) => journal.close()))
    },
  }
}

function laneOf(
  all: readonly GroupCommit<PacketReceipt>[],
  { callId }: Packet,
): GroupCommit<PacketReceipt> {
  const lane = all[hashText(callId) % all.length]
  if (lane === undefined) throw new RangeError('there is no lane')
  return lane
}
