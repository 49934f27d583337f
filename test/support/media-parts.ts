// The media of a gateway without the gateway: its ledger, on a database of the test's own.
import type { Pool } from '../../src/database/pool.ts'
import type { MediaParts } from '../../src/intake/media/connection.ts'
import { MediaBudget } from '../../src/intake/media/media-budget.ts'
import { createLedger } from '../../src/ledger/ledger.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

/** Media parts; their ledger is closed at the end of the scope (`await using`). */
export type OpenMediaParts = AsyncDisposable & {
  readonly parts: MediaParts
  /** How many calls were completed. */
  readonly completed: () => number
}

/** Opens them. */
export function openMediaParts(pool: Pool): OpenMediaParts {
  const logger = createLogger({ level: 'silent', pretty: false })
  let completed = 0
  const ledger = createLedger({
    pool,
    packetTimeoutSeconds: 300,
    patienceSeconds: 5,
    logger,
    onCallsCreated: () => {},
  })
  const parts: MediaParts = {
    ledger,
    record: {
      pool,
      packetTimeoutSeconds: 300,
      reconnectSeconds: 10,
      graceSeconds: 0,
      onEvents: () => {},
      onCompleted: () => {
        completed += 1
      },
      logger,
    },
    budget: new MediaBudget(2 ** 24),
    clock: { wall: Date.now, steady: () => performance.now() },
    logger,
  }
  return {
    parts,
    completed: () => completed,
    [Symbol.asyncDispose]: () => ledger.close(),
  }
}
