// A ledger with a pool of its own, as one gateway has it.
import { createPool } from '../../src/database/pool.ts'
import { createLedger, ledgerConnections } from '../../src/ledger/ledger.ts'
import type { Packet, PacketReceipt } from '../../src/ledger/packet.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { storeWith } from './hand-commit.ts'

/** A ledger whose answers are promises. */
export type TestLedger = AsyncDisposable & {
  readonly warmUp: () => Promise<void>
  readonly store: (packet: Packet) => Promise<PacketReceipt>
  /** Stores it as a packet of a stream. */
  readonly append: (packet: Packet) => Promise<PacketReceipt>
  readonly close: () => Promise<void>
}

/** Opens a ledger on a database; it is closed at the end of the scope (`await using`). */
export function openLedger(url: string): TestLedger {
  // What a test provokes is asserted, not read in its output.
  const logger = createLogger({ level: 'silent', pretty: false })
  const pool = createPool(url, 'test ledger', ledgerConnections, logger)
  const ledger = createLedger({
    pool,
    packetTimeoutSeconds: 300,
    patienceSeconds: 5,
    logger,
    onCallsCreated: () => {},
  })
  return {
    warmUp: ledger.warmUp,
    store: (packet) => storeWith(ledger.store, packet),
    append: (packet) => storeWith(ledger.append, packet),
    close: ledger.close,
    [Symbol.asyncDispose]: async () => {
      await ledger.close()
      await pool.end()
    },
  }
}
