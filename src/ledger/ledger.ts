// Packets become durable here. A call always goes through the same lane (one connection, one batch in flight),
// so a gateway never waits for itself; other gateways may feed the same call at any time.
import { failureKind } from '../database/failure.ts'
import type { Pool } from '../database/pool.ts'
import { hashText } from '../random.ts'
import type { Logger } from '../telemetry/logger.ts'
import { batchParameters, type PacketGroup, receipts } from './batch.ts'
import { createGroupCommit, type GroupOutcome } from './group-commit.ts'
import type { Packet, PacketReceipt } from './packet.ts'
import { storePackets } from './statements.ts'

/** The ledger of this process. */
export type Ledger = {
  /**
   * Stores a packet; resolves after the commit that holds it.
   * Rejects with a `GatewayError`: call_sealed, call_locked, overloaded, database_unavailable, shutting_down.
   */
  readonly store: (packet: Packet) => Promise<PacketReceipt>
  /** Refuses new packets and resolves when those under way are settled. */
  readonly close: () => Promise<void>
}

/** What the ledger needs. */
export type LedgerOptions = {
  /** A pool of its own, of at least {@link lanes} connections. */
  readonly pool: Pool
  readonly packetTimeoutSeconds: number
  readonly logger: Logger
  /** Called after a commit that created calls: there are events to publish. */
  readonly onCallsCreated: () => void
}

/** Batches in flight at once. More than two bring nothing when the database is on the same machine. */
export const lanes = 2

const limits = {
  maxPackets: 20_000,
  maxBytes: 64 * 2 ** 20,
  maxBatchPackets: 5_000,
  maxBatchBytes: 2 ** 20,
  patienceMs: 5_000,
}

/** Opens the ledger. */
export function createLedger(options: LedgerOptions): Ledger {
  const { pool, logger } = options

  async function commit(groups: PacketGroup[]): Promise<GroupOutcome<PacketReceipt>[]> {
    const stored = await storePackets(
      pool,
      ...batchParameters(groups),
      options.packetTimeoutSeconds,
    )
    if (stored.some(({ created }) => created)) options.onCallsCreated()
    const outcomes: GroupOutcome<PacketReceipt>[] = groups.map(() => 'locked')
    for (const result of stored) {
      const index = result.ordinal - 1
      const group = groups[index]
      if (group === undefined || result.outcome === 'locked') continue
      const told = receipts(group, result)
      outcomes[index] = told
      warnOfIrregularities(logger, group, told)
    }
    return outcomes
  }

  const commits = Array.from({ length: lanes }, () =>
    createGroupCommit<PacketReceipt>({
      limits,
      commit,
      classify: failureKind,
      onError: (error, packets) =>
        logger.error({ err: error, packets }, 'a batch of packets was not committed'),
      now: () => performance.now(),
      setTimer: (run, milliseconds) => void setTimeout(run, milliseconds),
    }),
  )

  return {
    store: (packet) => {
      const lane = commits[hashText(packet.callId) % lanes]
      if (lane === undefined) throw new RangeError('there is no such lane')
      return lane.store(packet)
    },
    close: async () => {
      await Promise.all(commits.map((lane) => lane.close()))
    },
  }
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
