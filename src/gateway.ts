// The composition root, to be read first. It builds the parts in the order in which a packet meets them, hands
// each what it needs, and takes them down in the reverse order, so that nothing acknowledged is lost.
//
//   PBX -> intake -> ledger -> PostgreSQL <- calls -> analysis
//                                              `----> feed -> supervisors
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { startAnalysis } from './analysis/analysis.ts'
import { createMockProvider } from './analysis/providers/mock.ts'
import { startDeadlines } from './calls/deadlines.ts'
import { callRoutes } from './calls/routes.ts'
import type { Config } from './config.ts'
import { startEmbeddedPostgres } from './database/embedded/postgres.ts'
import { createPool } from './database/pool.ts'
import { prepareDatabase } from './database/prepare.ts'
import { StartupError } from './errors.ts'
import { startFeed } from './feed/feed.ts'
import { feedRoutes } from './feed/routes.ts'
import { healthRoutes } from './http/health.ts'
import { servePages } from './http/pages.ts'
import { createServer } from './http/server.ts'
import { httpPacketRoutes } from './intake/http-packet.ts'
import { createLedger, lanes } from './ledger/ledger.ts'
import { readPackets } from './ledger/read-packets.ts'
import { seededRandom } from './random.ts'
import { loadRecordings } from './simulator/recordings.ts'
import type { Logger } from './telemetry/logger.ts'

/** A running gateway. */
export type Gateway = {
  /** Where it listens, as `http://host:port`. */
  readonly url: string
  /** Takes no new work, finishes or gives back what is under way, and closes everything. */
  readonly stop: () => Promise<void>
}

/** The ledger waits for no row; what it might wait for is a call that another session is just creating. */
const intakeLockTimeoutMs = 200

/** A supervisor that leaves so many bytes unread is cut off. */
const maxUnreadFeedBytes = 2 ** 20

/**
 * Starts a gateway.
 * @throws StartupError for everything that its operator can mend
 */
export async function startGateway(
  config: Config,
  logger: Logger,
  version: string,
): Promise<Gateway> {
  const stack = new AsyncDisposableStack()
  try {
    // 1. The database, the only truth.
    const embedded =
      config.DATABASE_URL === null
        ? await startEmbeddedPostgres({ dataDirectory: config.DATA_DIR, logger })
        : undefined
    if (embedded !== undefined) stack.defer(embedded.stop)
    embedded?.watch()
    const databaseUrl = embedded?.url ?? config.DATABASE_URL ?? ''
    const applied = await prepareDatabase(
      databaseUrl,
      config.ALLOW_UNSAFE_DATABASE === 'true',
      logger,
    )
    if (applied.length > 0) logger.info({ migrations: applied }, 'database migrated')

    const pools = {
      intake: createPool(databaseUrl, 'intake', lanes, logger, intakeLockTimeoutMs),
      queries: createPool(databaseUrl, 'queries', 8, logger),
      analysis: createPool(databaseUrl, 'analysis', 8, logger),
    }
    for (const pool of Object.values(pools)) stack.defer(() => pool.end())

    // 2. The feed: everything that happens below is told there.
    const feed = await startFeed({ pool: pools.queries, databaseUrl, logger })
    stack.defer(feed.stop)

    // 3. The analysis of completed calls.
    const analysis = startAnalysis({
      pool: pools.analysis,
      owner: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
      provider: createMockProvider({
        failureRate: config.AI_SERVICE_FAILURE_RATE,
        minLatency: config.AI_SERVICE_MIN_LATENCY,
        maxLatency: config.AI_SERVICE_MAX_LATENCY,
        seed: config.AI_SEED,
        speech: await loadRecordings(),
      }),
      readPackets: (call) => readPackets(pools.analysis, call),
      retry: {
        maxAttempts: config.MAX_RETRY_ATTEMPTS,
        initialWait: config.RETRY_INITIAL_WAIT,
        maxWait: config.RETRY_MAX_WAIT,
        redriveInitialWait: config.REDRIVE_INITIAL_WAIT,
        redriveMaxWait: config.REDRIVE_MAX_WAIT,
        redriveHorizon: config.REDRIVE_HORIZON,
      },
      timeoutSeconds: config.ANALYSIS_TIMEOUT_SECONDS,
      archiveAfterSeconds: config.ARCHIVE_AFTER_SECONDS,
      concurrency: config.ANALYSIS_CONCURRENCY,
      leaseSeconds: config.ANALYSIS_LEASE_SECONDS,
      random: seededRandom(config.AI_SEED),
      logger,
      onEvents: feed.wake,
    })
    stack.defer(analysis.stop)

    function callsCompleted(): void {
      feed.wake()
      analysis.wakeIn(config.COMPLETION_GRACE_SECONDS)
    }

    // 4. What time does to calls.
    const deadlines = startDeadlines({
      pool: pools.queries,
      packetTimeoutSeconds: config.PACKET_TIMEOUT_SECONDS,
      graceSeconds: config.COMPLETION_GRACE_SECONDS,
      logger,
      onTransitions: callsCompleted,
    })
    stack.defer(deadlines.stop)

    // 5. The ledger, and the doors in front of it.
    const ledger = createLedger({
      pool: pools.intake,
      packetTimeoutSeconds: config.PACKET_TIMEOUT_SECONDS,
      logger,
      onCallsCreated: feed.wake,
    })
    stack.defer(ledger.close)

    const now = () => new Date()
    const server = await createServer(logger, version)
    await server.register(httpPacketRoutes, { ledger, now })
    await server.register(callRoutes, {
      pool: pools.queries,
      graceSeconds: config.COMPLETION_GRACE_SECONDS,
      onCompleted: callsCompleted,
    })
    await server.register(feedRoutes, {
      feed,
      logger,
      maxBufferedBytes: maxUnreadFeedBytes,
      now,
    })
    await server.register(healthRoutes, { db: pools.queries, processor: analysis.statistics })
    await servePages(server, version)
    stack.defer(() => server.close())

    const url = await listen(server, config)
    logger.info({ url }, 'gateway ready')
    return { url, stop: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function listen(
  server: Awaited<ReturnType<typeof createServer>>,
  { APP_HOST: host, APP_PORT: port }: Config,
): Promise<string> {
  try {
    return await server.listen({ host, port, listenTextResolver: (url) => `listening on ${url}` })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new StartupError(
        `Port ${port} on ${host} is in use, perhaps by another gateway. Set APP_PORT to a free one.`,
      )
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartupError(`Cannot listen on APP_HOST ${host}, APP_PORT ${port}: ${code}`)
    throw error
  }
}
