import closeWithGrace from 'close-with-grace'
import { Command } from 'commander'
import { startGateway } from '../gateway.ts'
import { defaultSimulation, runSimulation } from '../simulator/simulation.ts'
import { createCommandLogger, readConfig } from './environment.ts'
import { readVersion } from './package-version.ts'

/** How long a shutdown may take, the database's included, in milliseconds. */
const longestShutdownMs = 20_000

/** `ai-pbx-gateway serve`: runs the gateway until SIGTERM or Ctrl-C. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the gateway (settings: environment and .env, see .env.example)')
    .option('--demo', 'also play a few calls of real speech, as a PBX would')
    .action(({ demo }: { demo?: true }) => serve(demo === true))
}

async function serve(demo: boolean): Promise<void> {
  const config = readConfig()
  // The demo draws on the terminal; its lost packets need no line each.
  const quiet = demo && process.env.LOG_LEVEL === undefined
  const logger = createCommandLogger(quiet ? { ...config, LOG_LEVEL: 'error' } : config)
  const version = readVersion()
  const starting = new AbortController()
  const stopDemo = new AbortController()

  const gateway = startGateway(config, logger, version)
  closeWithGrace(
    {
      delay: longestShutdownMs,
      // A start that failed closes by itself and has an exit code of its own, which this would make a 0.
      skip: ['beforeExit'],
      logger: { error: (text: unknown) => logger.error(text) },
    },
    async ({ err }: { err?: Error }) => {
      if (err !== undefined) logger.fatal({ err }, 'an error nobody handled; shutting down')
      starting.abort()
      stopDemo.abort()
      const running = await gateway.catch(() => undefined)
      await running?.stop()
      logger.info('gateway stopped')
    },
  )

  const { url } = await gateway
  if (starting.signal.aborted) return
  console.error(welcome(url, version))
  if (demo) await runSimulation({ ...defaultSimulation, url }, process.stdout, stopDemo.signal)
}

function welcome(url: string, version: string): string {
  return `
  AI PBX Gateway ${version} is ready.

    Calls, live       ${url}/
    API, try it       ${url}/docs     read it  ${url}/redoc
    Events            ${url.replace('http', 'ws')}/ws
    Health            ${url}/health

  Play calls of real speech:   npm run simulate -- --url ${url}
  Send a packet yourself:
    curl -X POST ${url}/v1/call/stream/CALL-1 -H 'content-type: application/json' \\
         -d '{"sequence":1,"data":"audio_chunk_1","timestamp":1732147200.02}'
    curl -X POST ${url}/v1/call/complete/CALL-1
    curl ${url}/v1/call/CALL-1

  Stop with Ctrl-C.
`
}
