// A worker process: it starts what the primary tells it to, serves until the primary says stop, and does not outlive
// it. Signals are the primary's: a terminal or a service manager sends them to the whole group.
import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import type { Config } from '../config.ts'
import { StartupError } from '../errors.ts'
import { endSignals } from '../signals.ts'
import type { Logger } from '../telemetry/logger.ts'
import {
  type Addresses,
  exchangeFigures,
  type FiguresExchange,
  type StartMessage,
  type ToPrimary,
  type ToWorker,
} from './channel.ts'
import { type Figures, noFigures, type Total } from './figures.ts'

/** What a worker runs. */
export type WorkerOptions = {
  readonly createLogger: (config: Config) => Logger
  /** Starts what serves. */
  readonly start: (
    config: Config,
    logger: Logger,
    total: Total,
  ) => Promise<Addresses & { readonly stop: () => Promise<void> }>
}

/** The exit code of a worker that was refused, as of the command. */
const refused = 2
/** An error that nobody handled may take so long to be tidied up after. */
const longestStopMs = 15_000
/** Longer than the primary waits for the other workers. */
const longestAnswerMs = 500

/** Runs this process as a worker of the primary that forked it. */
export function runWorker(options: WorkerOptions): void {
  for (const signal of endSignals) process.on(signal, () => {})
  const { receive, total } = countTogether()
  let stop = (): void => process.exit()

  process.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start':
        stop = serve(options, message, total)
        return
      case 'stop':
        return stop()
      default:
        return void receive(message)
    }
  })
  tell({ type: 'hello' })
}

/** Starts to serve; returns what ends it, and with it the process, in order. */
function serve(
  { createLogger, start }: WorkerOptions,
  { config, worker }: StartMessage,
  total: Total,
): () => void {
  const logger = createLogger(config).child({ worker })
  const service = start(config, logger, total)
  let stopped: Promise<void> | undefined
  const { close } = closeWithGrace(
    {
      delay: longestStopMs,
      skip: ['beforeExit', ...endSignals],
      logger: { error: (text: unknown) => logger.error(text) },
    },
    async ({ err }: { err?: Error }) => {
      if (err !== undefined) logger.fatal({ err }, 'an error nobody handled; this worker ends')
      stopped ??= service.then(
        (running) => running.stop(),
        () => {},
      )
      await stopped
    },
  )
  // Then node:cluster ends this process at once, as if it had been killed together with its primary.
  cluster.worker?.on('disconnect', () => logger.fatal('the primary process is gone; ending'))

  service
    .then(({ url, audioSocket }) => tell({ type: 'ready', url, audioSocket }))
    .catch((error: unknown) => {
      if (!(error instanceof StartupError)) throw error
      tell({ type: 'refused', reason: error.message }, () => process.exit(refused))
    })
  return close
}

/** This process's part of the total, and the total, for which the primary is asked. */
function countTogether(): Pick<FiguresExchange, 'receive'> & { readonly total: Total } {
  let figures: { [Name in keyof Figures]: () => Figures[Name] } = {
    processor: () => noFigures.processor,
    feedClients: () => noFigures.feedClients,
  }
  const own = async () => ({
    processor: figures.processor(),
    feedClients: figures.feedClients(),
  })
  const { ask, receive } = exchangeFigures(tell, own)
  return {
    receive,
    total: (name, figure) => {
      figures = { ...figures, [name]: figure }
      return async () => ((await ask(longestAnswerMs)) ?? (await own()))[name]
    },
  }
}

/** To a primary that is gone nothing can be told, and nothing need be: this process ends with it. */
function tell(message: ToPrimary, then: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, then)
}
