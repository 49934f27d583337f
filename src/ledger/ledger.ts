// Packets become durable here. A call always goes through the same lane (one connection, one batch in flight),
// so a gateway never waits for itself; other gateways may feed the same call at any time.
import { failureKind } from '../database/failure.ts'
import type { Pool } from '../database/pool.ts'
import { hashText } from '../random.ts'
import type { Logger } from '../telemetry/logger.ts'
import { batchParameters, type PacketGroup, receipts } from './batch.ts'
import {
  createGroupCommit,
  type GroupCommit,
  type GroupCommitLimits,
  type GroupOutcome,
} from './group-commit.ts'
import type { Packet, PacketReceipt, PacketSender } from './packet.ts'
import { commitPackets } from './statements.ts'
import { type CommitTally, lostBy } from './tally.ts'

/** The ledger of this process. */
export type Ledger = {
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
/** How many connections the ledger uses at once. */
export const ledgerConnections = lanes.single + lanes.streamed

/** How long packets of streams wait for company: a fifth of the lag that a supervisor would notice. */
const streamLingerMs = 80

const limits = {
  maxPackets: 20_000,
  maxBytes: 64 * 2 ** 20,
  maxBatchPackets: 5_000,
  maxBatchBytes: 2 ** 20,
  lockPatienceMs: 5_000,
}

/** Opens the ledger. */
export function createLedger(options: LedgerOptions): Ledger {
  const { pool, logger } = options

  async function commit(groups: readonly PacketGroup[]): Promise<GroupOutcome<PacketReceipt>[]> {
    const parameters = batchParameters(groups)
    const begun = performance.now()
    const stored = await commitPackets(pool, ...parameters, options.packetTimeoutSeconds)
    const milliseconds = performance.now() - begun
    if (stored.some(({ created }) => created)) options.onCallsCreated()
    const outcomes: GroupOutcome<PacketReceipt>[] = groups.map(() => 'locked')
    const callIds: string[] = []
    let [packets, lost] = [0, 0]
    for (const result of stored) {
      const index = result.ordinal - 1
      const group = groups[index]
      if (group === undefined || result.outcome === 'locked') continue
      const told = receipts(group, result)
      outcomes[index] = told
      warnOfIrregularities(logger, group, told)
      if (result.outcome !== 'stored') continue
      callIds.push(group.callId)
      packets += group.packets.length
      lost += lostBy(group, result.prior, told)
    }
    options.onCommitted?.({ callIds, packets, lost, milliseconds })
    return outcomes
  }

  function openLanes(
    count: number,
    change: Omit<GroupCommitLimits, keyof typeof limits>,
  ): readonly GroupCommit<PacketReceipt>[] {
    return Array.from({ length: count }, () =>
      createGroupCommit<PacketReceipt>({
        limits: { ...limits, ...change },
        commit,
        classify: failureKind,
        onError: (error, packets) =>
          logger.error({ err: error, packets }, 'a batch of packets was not committed'),
        now: () => performance.now(),
        setTimer: (run, milliseconds) => void setTimeout(run, milliseconds),
        setWatch: (run, milliseconds) => void setTimeout(run, milliseconds).unref(),
      }),
    )
  }

  const single = openLanes(lanes.single, {
    refusesWhenFull: true,
    lingerMs: 0,
    databasePatienceMs: options.patienceSeconds * 1_000,
  })
  const streamed = openLanes(lanes.streamed, {
    refusesWhenFull: false,
    lingerMs: streamLingerMs,
    databasePatienceMs: Number.POSITIVE_INFINITY,
  })

  return {
    store: (packet, sender) => laneOf(single, packet).store(packet, sender),
    append: (packet, sender) => {
      const lane = laneOf(streamed, packet)
      lane.store(packet, sender)
      return !lane.isFull()
    },
    close: async () => {
      await Promise.all([...single, ...streamed].map((lane) => lane.close()))
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

function warnOfIrregularities(
  logger: Logger,
  group: PacketGroup,
  told: readonly (PacketReceipt | Error)[],
): void {
  for (const [index, receipt] of told.entries()) {
    if (receipt instanceof Error || !isIrregular(receipt)) continue
    const { duplicate, late, missing } = receipt
    const packet = group.packets[index]
    logger.warn(
      {
        call_id: group.callId,
        track: packet?.track,
        sequence: packet?.sequence,
        duplicate,
        late,
        missing_packets: missing.length > 200 ? `${missing.slice(0, 200)}…` : missing,
      },
      duplicate ? 'packet is a duplicate' : late ? 'packet is late' : 'packet opens a gap',
    )
  }
}

/** True for a packet that its sender is warned of: a duplicate, a late one, or one that opens a gap. */
export function isIrregular({ duplicate, late, opensGap }: PacketReceipt): boolean {
  return duplicate || late || opensGap
}
