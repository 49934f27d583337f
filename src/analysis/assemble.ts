// Puts the analysis together: providers and their shared health, the steps of the work, the claims of calls.
import type { Config } from '../config.ts'
import type { Pool } from '../database/pool.ts'
import { seededRandom } from '../random.ts'
import { readTelephonePackets } from '../recording/telephone-packets.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type Analysis, startAnalysis } from './analysis.ts'
import { readTracks } from './call-audio.ts'
import { configuredProviders } from './configured.ts'
import { createHealth } from './health.ts'
import { readSwapped } from './health-statements.ts'
import { excerptOf } from './providers/excerpt.ts'
import type { SpeechRecording } from './providers/known-speech.ts'
import { moodOf } from './providers/lexicon.ts'
import { redaction } from './redact-steps.ts'
import { sameMode } from './redaction/classes.ts'
import { workOn } from './work.ts'
import type { WorkOptions } from './work-options.ts'

/** What the analysis needs. */
export type AssembleOptions = {
  readonly config: Config
  readonly pool: Pool
  /** Who this process is, in leases, attempts and requests. */
  readonly owner: string
  /** What the mock provider knows. */
  readonly speech: readonly SpeechRecording[]
  readonly logger: Logger
  /** Called after something of an analysis was stored: there are events to publish. */
  readonly onEvents: () => void
}

/** The running analysis and its providers. */
export type AssembledAnalysis = Analysis & {
  /** The names of the providers, in the order in which they are asked. */
  readonly providers: readonly string[]
}

/**
 * Starts to analyse.
 * @throws StartupError when a provider's settings are incomplete
 */
export async function assembleAnalysis(options: AssembleOptions): Promise<AssembledAnalysis> {
  const { config, pool, owner, logger, onEvents } = options
  const providers = configuredProviders(config, options.speech)
  const health = createHealth({
    pool,
    owner,
    expiresSeconds: 5 * config.ANALYSIS_LEASE_SECONDS,
    logger,
  })
  await health.declare(providers)
  const work: WorkOptions = {
    pool,
    providers,
    health,
    readPackets: (call) => readTelephonePackets(pool, call),
    readTracks: (call) => readTracks(pool, call),
    isSwapped: async (call) => (await readSwapped(pool, call))[0]?.swapped ?? false,
    ...redaction(sameMode(config.REDACTION)),
    judge: moodOf,
    summarise: excerptOf,
    requestSeconds: config.ANALYSIS_TIMEOUT_SECONDS,
    maxAttempts: config.MAX_RETRY_ATTEMPTS,
  }
  const first = providers
    .filter(({ analyse, transcriber }) => analyse !== undefined || transcriber !== undefined)
    .map(({ name }) => name)
  const analysis = startAnalysis({
    pool,
    owner,
    providerName: first[0] ?? '',
    capacity: (begun) => health.capacity(first, begun),
    work: (claim, signal) => workOn(claim, work, signal),
    retry: {
      maxAttempts: config.MAX_RETRY_ATTEMPTS,
      initialWait: config.RETRY_INITIAL_WAIT,
      maxWait: config.RETRY_MAX_WAIT,
      redriveInitialWait: config.REDRIVE_INITIAL_WAIT,
      redriveMaxWait: config.REDRIVE_MAX_WAIT,
      redriveHorizon: config.REDRIVE_HORIZON,
    },
    deadlineSeconds: config.ANALYSIS_DEADLINE_SECONDS,
    archiveAfterSeconds: config.ARCHIVE_AFTER_SECONDS,
    concurrency: config.ANALYSIS_CONCURRENCY,
    leaseSeconds: config.ANALYSIS_LEASE_SECONDS,
    random: seededRandom(config.AI_SEED),
    logger,
    onEvents,
  })
  return {
    ...analysis,
    providers: providers.map(({ name }) => name),
    stop: async () => {
      await analysis.stop()
      await health.stop()
    },
  }
}
