import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import { Command } from 'commander'
import type { Config } from '../config.ts'
import { type Gateway, openDatabase, startGateway } from '../gateway.ts'
import { endOnSignal, endSignals } from '../signals.ts'
import { defaultSimulation, runSimulation } from '../simulator/simulation.ts'
import type { Logger } from '../telemetry/logger.ts'
import { alone } from '../workers/figures.ts'
import { startWorkers } from '../workers/primary.ts'
import { runWorker } from '../workers/worker.ts'
import { createCommandLogger, readConfig } from './environment.ts'
import { readVersion } from './package-version.ts'

/** How long a shutdown may take, the database's included, in milliseconds. */
const longestShutdownMs = 20_000

/** `ai-pbx-gateway serve`: runs the gateway until SIGTERM or Ctrl-C. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the gateway (settings: environment and .env, see .env.example)')
    .option('--demo', 'also play a few calls of real speech, as a PBX would')
    .action(({ demo }: { demo?: true }) => (cluster.isWorker ? work() : serve(demo === true)))
}

async function serve(demo: boolean): Promise<void> {
  const config = readConfig()
  // The demo draws on the terminal; its lost packets need no line each.
  const quiet = demo && process.env.LOG_LEVEL === undefined
  const loud = quiet ? { ...config, LOG_LEVEL: 'error' as const } : config
  const logger = createCommandLogger(loud)
  const version = readVersion()
  const starting = new AbortController()
  const stopDemo = new AbortController()

  const gateway = start(loud, logger, version, starting.signal)
  const stop = async () => {
    const running = await gateway.catch(() => undefined)
    await running?.stop()
    logger.info('gateway stopped')
  }
  let stopping: Promise<void> | undefined
  const { close } = closeWithGrace(
    {
      delay: longestShutdownMs,
      // A start that failed closes by itself and has an exit code of its own, which this would make a 0.
      skip: ['beforeExit', ...endSignals],
      logger: { error: (text: unknown) => logger.error(text) },
    },
    async ({ err }: { err?: Error }) => {
      if (err !== undefined) logger.fatal({ err }, 'an error nobody handled; shutting down')
      starting.abort()
      stopDemo.abort()
      // A signal may come while an error is being tidied up after.
      stopping ??= stop()
      await stopping
    },
  )
  const onSignal = endOnSignal(
    close,
    (signal) => {
      logger.error(`${signal} again; exiting at once`)
      process.exit(1)
    },
    () => performance.now(),
  )
  for (const signal of endSignals) process.on(signal, onSignal)

  const running = await gateway.catch((error: unknown) => {
    if (starting.signal.aborted) return undefined
    throw error
  })
  if (running === undefined || starting.signal.aborted) return
  const { url } = running
  console.error(welcome(running, version))
  if (demo) await runSimulation({ ...defaultSimulation, url }, process.stdout, stopDemo.signal)
}

/** The database, once, and then one process on it, this one, or several. */
async function start(
  config: Config,
  logger: Logger,
  version: string,
  signal: AbortSignal,
): Promise<Gateway> {
  const stack = new AsyncDisposableStack()
  try {
    const { url: databaseUrl, close } = await openDatabase(config, logger)
    stack.defer(close)
    const { url, audioSocket, stop } =
      config.WORKERS === 1
        ? await startGateway({ config, databaseUrl, logger, version, total: alone })
        : await startWorkers({ config: { ...config, DATABASE_URL: databaseUrl }, logger, signal })
    stack.defer(stop)
    logger.info({ audio_socket: audioSocket, url }, 'gateway ready')
    return { url, audioSocket, stop: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Serves as one of several processes. */
function work(): void {
  const version = readVersion()
  runWorker({
    createLogger: createCommandLogger,
    start: (config, logger, total) =>
      startGateway({ config, databaseUrl: config.DATABASE_URL ?? '', logger, version, total }),
  })
}

function welcome({ url, audioSocket }: Gateway, version: string): string {
  return `
  AI PBX Gateway ${version} is ready.

    Calls, live       ${url}/
    API, try it       ${url}/docs     read it  ${url}/redoc
    Events            ${url.replace('http', 'ws')}/ws
    Health            ${url}/health
    Asterisk          ${audioSocket === null ? 'AudioSocket is off' : `AudioSocket(<UUID>,${audioSocket})`}

  Play calls of real speech:   npx ai-pbx-gateway simulate --url ${url}
  Send a packet yourself:
    curl -X POST ${url}/v1/call/stream/CALL-1 -H 'content-type: application/json' \\
         -d '{"sequence":1,"data":"audio_chunk_1","timestamp":1732147200.02}'
    curl -X POST ${url}/v1/call/complete/CALL-1
    curl ${url}/v1/call/CALL-1

  Stop with Ctrl-C.
`
}
