// A ledger with a pool of its own, as one gateway has it.
import { createPool } from '../../src/database/pool.ts'
import { createLedger, type Ledger, lanes } from '../../src/ledger/ledger.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

/** Opens a ledger on a database; it is closed at the end of the scope (`await using`). */
export function openLedger(url: string): Ledger & AsyncDisposable {
  // What a test provokes is asserted, not read in its output.
  const logger = createLogger({ level: 'silent', pretty: false })
  const pool = createPool(url, 'test ledger', lanes, logger)
  const ledger = createLedger({
    pool,
    packetTimeoutSeconds: 300,
    logger,
    onCallsCreated: () => {},
  })
  return {
    ...ledger,
    [Symbol.asyncDispose]: async () => {
      await ledger.close()
      await pool.end()
    },
  }
}
