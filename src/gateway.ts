// The composition root, to be read first. It builds the parts in the order in which a packet meets them, hands
// each what it needs, and takes them down in the reverse order, so that nothing acknowledged is lost.
//
//   PBX -> intake -> ledger -> PostgreSQL <- calls -> analysis
//                                              `----> feed -> supervisors
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { assembleAnalysis } from './analysis/assemble.ts'
import { providerRoutes } from './analysis/provider-health.ts'
import { readRedactedSpans } from './analysis/redacted-spans.ts'
import { redactDtmf } from './analysis/redaction/dtmf.ts'
import { transcriptRoute } from './analysis/transcript-route.ts'
import { usageRoute } from './analysis/usage-route.ts'
import { announcementRoutes } from './calls/announcement-routes.ts'
import { createCompletion } from './calls/complete.ts'
import { startDeadlines } from './calls/deadlines.ts'
import { reprocessRoutes } from './calls/reprocess-routes.ts'
import { callRoutes } from './calls/routes.ts'
import { swapRoute } from './calls/swap-route.ts'
import { timelineRoute } from './calls/timeline-route.ts'
import type { Config } from './config.ts'
import { startEmbeddedPostgres } from './database/embedded/postgres.ts'
import { createPool } from './database/pool.ts'
import { prepareDatabase } from './database/prepare.ts'
import { type Desk, openDesk } from './desk.ts'
import { startFeed } from './feed/feed.ts'
import { createResume } from './feed/resume.ts'
import { feedRoutes } from './feed/routes.ts'
import { healthRoutes } from './http/health.ts'
import { servePages } from './http/pages.ts'
import { bodyLimit, createServer, keepAliveMs } from './http/server.ts'
import { createDeclaredFormats } from './intake/declared-formats.ts'
import { httpPacketRoutes } from './intake/http-packet.ts'
import type { MediaParts } from './intake/media/connection.ts'
import { MediaBudget } from './intake/media/media-budget.ts'
import { webSocketProtocols } from './intake/media/protocols.ts'
import { createMediaSockets } from './intake/media/sockets.ts'
import { createPacketIntake } from './intake/packet-intake.ts'
import { packetShortcut } from './intake/packet-shortcut.ts'
import { createPacketSockets } from './intake/packet-socket.ts'
import { logRefusals } from './intake/refusal-log.ts'
import { createLedger, ledgerConnections } from './ledger/ledger.ts'
import { type Addresses, listenForAudioSocket, listenForHttp } from './listeners.ts'
import { createMeasurements } from './recording/measurements.ts'
import { qualityRoutes } from './recording/quality-routes.ts'
import { recordingRoutes } from './recording/routes.ts'
import { loadRecordings } from './simulator/recordings.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Total } from './workers/figures.ts'

/** What a gateway process needs. */
export type GatewayOptions = {
  readonly config: Config
  /** A database that is fit for use (see {@link openDatabase}). */
  readonly databaseUrl: string
  readonly logger: Logger
  readonly version: string
  /** Adds up what the processes of the command count. */
  readonly total: Total
}

/** A running gateway, and where it listens. */
export type Gateway = Addresses & {
  /** Takes no new work, finishes or gives back what is under way, and closes everything. */
  readonly stop: () => Promise<void>
}

/** The ledger waits for no row; what it might wait for is a call that another session is just creating. */
const intakeLockTimeoutMs = 200

/** A supervisor that leaves so many bytes unread is cut off. */
const maxUnreadFeedBytes = 2 ** 20

/** Audio of the media protocols that may wait for the database in one process: 8 s of 1,000 calls in L16. */
const maxWaitingMediaBytes = 256 * 2 ** 20

/** Connections to PostgreSQL of one process, besides the one that listens for events. */
const connections = { intake: ledgerConnections, queries: 8, analysis: 8 }

/** A database that is fit for use. */
export type Database = {
  readonly url: string
  /** Stops it, if it is the embedded one. */
  readonly close: () => Promise<void>
}

/**
 * Opens the database of the settings, once for all processes: starts and watches the embedded one, checks
 * that it keeps what it commits, and migrates it.
 * @throws StartupError for everything that its operator can mend
 */
export async function openDatabase(config: Config, logger: Logger): Promise<Database> {
  const stack = new AsyncDisposableStack()
  try {
    const perProcess = connections.intake + connections.queries + connections.analysis + 1
    const embedded =
      config.DATABASE_URL === null
        ? await startEmbeddedPostgres({
            dataDirectory: config.DATA_DIR,
            connections: config.WORKERS * perProcess,
            logger,
          })
        : undefined
    if (embedded !== undefined) stack.defer(embedded.stop)
    embedded?.watch()
    const url = embedded?.url ?? config.DATABASE_URL ?? ''
    const applied = await prepareDatabase(url, config.ALLOW_UNSAFE_DATABASE === 'true', logger)
    if (applied.length > 0) logger.info({ migrations: applied }, 'database migrated')
    return { url, close: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/**
 * Starts a gateway in this process.
 * @throws StartupError for everything that its operator can mend
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, databaseUrl, logger, version, total } = options
  // Requests live for a commit. V8 takes that for long lives and allocates them where only a full collection
  // finds them (docs/performance.md).
  setFlagsFromString('--no-allocation-site-pretenuring')
  // By itself V8 collects everything again once a small heap has grown by 8 MB, buffers of short lives among them.
  setFlagsFromString('--heap-growing-percent=200')
  // Nor whenever 64 MB of buffers were made, most of which are done with: they count as what the heap has grown by.
  setFlagsFromString('--external-memory-accounted-in-global-limit')
  const owner = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  const stack = new AsyncDisposableStack()
  try {
    // 1. The database, the only truth. Parts that must not starve each other have connections of their own.
    const pools = {
      intake: createPool(databaseUrl, 'intake', connections.intake, logger, {
        lockTimeoutMs: intakeLockTimeoutMs,
        // The first packets after a quiet while have no more patience than any.
        keepsIdle: true,
      }),
      queries: createPool(databaseUrl, 'queries', connections.queries, logger),
      analysis: createPool(databaseUrl, 'analysis', connections.analysis, logger),
    }
    for (const pool of Object.values(pools)) stack.defer(() => pool.end())

    // 2. The feed: everything that happens below is told there.
    const feed = await startFeed({ pool: pools.queries, databaseUrl, logger })
    stack.defer(feed.stop)

    // 3. The analysis of completed calls.
    const analysis = await assembleAnalysis({
      config,
      pool: pools.analysis,
      owner,
      speech: await loadRecordings(),
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
      reconnectSeconds: config.RECONNECT_GRACE_SECONDS,
      logger,
      onTransitions: callsCompleted,
    })
    stack.defer(deadlines.stop)

    // 5. The ledger, and the doors in front of it.
    let desk: Desk | undefined
    const ledger = createLedger({
      pool: pools.intake,
      packetTimeoutSeconds: config.PACKET_TIMEOUT_SECONDS,
      patienceSeconds: config.PACKET_PATIENCE_SECONDS,
      logger,
      onCallsCreated: feed.wake,
      onCommitted: (tally) => desk?.committed(tally),
    })
    stack.defer(ledger.close)
    await ledger.warmUp()

    const now = () => new Date()
    const intake = createPacketIntake(ledger, now)
    const shortcut = packetShortcut({ intake, keepAliveMs, onError: logRefusals(logger) })
    const server = await createServer(logger, version, shortcut)
    const formats = createDeclaredFormats(pools.queries, ledger, logger)
    await server.register(httpPacketRoutes, {
      intake,
      ledger,
      formats,
      now,
      longestLine: bodyLimit,
    })
    const complete = createCompletion({
      pool: pools.queries,
      graceSeconds: config.COMPLETION_GRACE_SECONDS,
      onCompleted: callsCompleted,
    })
    const packetSockets = createPacketSockets({ ledger, formats, complete, logger })
    await server.register(packetSockets.routes)
    const media: MediaParts = {
      ledger,
      record: {
        pool: pools.queries,
        packetTimeoutSeconds: config.PACKET_TIMEOUT_SECONDS,
        reconnectSeconds: config.RECONNECT_GRACE_SECONDS,
        graceSeconds: config.COMPLETION_GRACE_SECONDS,
        onEvents: feed.wake,
        onCompleted: callsCompleted,
        logger,
      },
      budget: new MediaBudget(maxWaitingMediaBytes),
      clock: { wall: Date.now, steady: () => performance.now() },
      redactKeys: (keys) => redactDtmf(keys, config.REDACTION),
      logger,
    }
    const mediaSockets = createMediaSockets({
      protocols: webSocketProtocols,
      parts: media,
      secrets: {
        publicUrl: config.PUBLIC_URL,
        twilioAuthToken: config.TWILIO_AUTH_TOKEN,
        fonosterSecret: config.FONOSTER_ACCESS_KEY_SECRET,
        genesysApiKey: config.GENESYS_API_KEY,
        genesysClientSecret: config.GENESYS_CLIENT_SECRET,
        now: Date.now,
      },
    })
    await server.register(mediaSockets.routes)
    await server.register(callRoutes, { pool: pools.queries, complete })
    const recordings = { db: pools.queries, measure: createMeasurements(pools.queries) }
    await server.register(recordingRoutes, {
      ...recordings,
      readRedactedSpans: (call) => readRedactedSpans(pools.queries, call),
    })
    await server.register(transcriptRoute, recordings)
    await server.register(usageRoute, { pool: pools.queries })
    await server.register(reprocessRoutes, { pool: pools.queries, onDue: analysis.wake })
    await server.register(providerRoutes, { pool: pools.queries, names: analysis.providers })
    await server.register(qualityRoutes, recordings)
    await server.register(swapRoute, { pool: pools.queries, onEvents: feed.wake })
    await server.register(timelineRoute, {
      pool: pools.queries,
      packetTimeoutSeconds: config.PACKET_TIMEOUT_SECONDS,
      reconnectSeconds: config.RECONNECT_GRACE_SECONDS,
    })
    await server.register(announcementRoutes, { pool: pools.queries })
    const resume = createResume(pools.queries)
    await server.register(feedRoutes, {
      feed,
      resume,
      connections: (own) => total('feedClients', own),
      logger,
      maxBufferedBytes: maxUnreadFeedBytes,
      now,
    })
    await server.register(healthRoutes, {
      db: pools.queries,
      processor: total('processor', analysis.statistics),
    })
    let addresses: Addresses | undefined
    desk = await openDesk(server, {
      config,
      pool: pools.queries,
      feed,
      resume,
      identity: { id: owner, host: hostname(), pid: process.pid, version },
      webSockets: () => server.websocketServer.clients.size,
      addresses: () => addresses,
      logger,
    })
    stack.defer(desk.stop)
    await servePages(server, version, logger)
    stack.defer(() => server.close())
    stack.defer(packetSockets.close)
    stack.defer(mediaSockets.close)
    const audioSocket = await listenForAudioSocket(config, media)
    if (audioSocket !== undefined) stack.defer(audioSocket.close)

    addresses = {
      url: await listenForHttp(server, config),
      audioSocket: audioSocket?.address ?? null,
    }
    return {
      ...addresses,
      stop: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
