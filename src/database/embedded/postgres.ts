// The database of a gateway to which none was given: a real PostgreSQL in DATA_DIR, made at the
// first start, kept at every other. It is as durable as any PostgreSQL, outlives a gateway that
// dies, and is stopped with the gateway that stops. One gateway per folder.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StartupError } from '../../errors.ts'
import { type Pulse, startPulse } from '../../pulse.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { chooseAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { clusterExists, createCluster, readPassword, removeUnfinished } from './cluster.ts'
import { connectionUrl } from './connection.ts'
import { lockDataDirectory } from './lock.ts'
import { hasConnections } from './parameters.ts'
import { isAlive, type Launch, stopPostmaster } from './postmaster.ts'
import { bringUp, type Running } from './readiness.ts'

const watchEveryMs = 500

/** A running embedded database. */
export type EmbeddedPostgres = {
  /** Where it is, with its password. */
  readonly url: string
  /** From now on a server that dies is started again, where it was. */
  readonly watch: () => void
  /** Stops the server, waits until it is gone and gives the folder free. May be called again. */
  readonly stop: () => Promise<void>
}

/** What the embedded database needs to know. */
export type EmbeddedPostgresOptions = {
  /** The folder for all of it; created if it is missing. */
  readonly dataDirectory: string
  /** How many connections the gateway may want; a server with fewer is not taken over as it is. */
  readonly connections?: number
  readonly logger: Logger
  /** The programs of another PostgreSQL, such as /usr/lib/postgresql/15/bin. */
  readonly binDirectory?: string
}

/**
 * Starts the database in the folder, or takes over the one that still runs there.
 * @throws StartupError when the folder is in use, there is no PostgreSQL, or it does not start
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { logger } = options
  const directory = resolve(options.dataDirectory)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const lock = await lockDataDirectory(directory)
    try {
      const { running, launch, password } = await start(directory, options)
      const { port } = running.postmaster
      let { postmaster } = running
      let watching: Pulse | undefined
      let stopped: Promise<void> | undefined

      async function restartIfDead(): Promise<undefined> {
        if (isAlive(postmaster)) return
        logger.error({ postmaster: postmaster.pid }, 'PostgreSQL died; starting it again')
        postmaster = (await bringUp({ ...launch, port }, password, logger)).postmaster
      }

      async function stop(): Promise<void> {
        await watching?.stop()
        await stopPostmaster(postmaster, logger).finally(lock.release)
      }

      return {
        url: connectionUrl(port, password),
        watch: () => {
          watching ??= startPulse({
            everyMs: watchEveryMs,
            run: restartIfDead,
            onError: (error) => logger.error({ err: error }, 'PostgreSQL does not start again'),
          })
        },
        stop: () => (stopped ??= stop()),
      }
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw forThePersonWhoStartsUs(error, directory)
  }
}

async function start(
  directory: string,
  { logger, binDirectory, connections = 0 }: EmbeddedPostgresOptions,
): Promise<{ running: Running; launch: Omit<Launch, 'port'>; password: string }> {
  const began = Date.now()
  const cluster = join(directory, 'postgres')
  const layout = { directory, cluster, password: join(directory, 'password') }
  await removeUnfinished(layout)
  const account = await chooseAccount(directory, cluster)
  const linkDirectory = join(directory, 'libraries')
  const binaries = await findBinaries({ account, cluster, linkDirectory, binDirectory })
  const isNew = !clusterExists(layout)
  if (isNew) await createCluster(layout, account, binaries, logger)
  const password = await readPassword(layout)
  const startupLog = join(directory, 'startup.log')
  const launch = { cluster, account, binaries, connections, startupLog }
  let running = await bringUp(launch, password, logger)
  if (running.attached && !hasConnections(cluster, connections)) {
    await stopPostmaster(running.postmaster, logger)
    running = await bringUp(launch, password, logger)
  }
  const { pid, port } = running.postmaster
  logger.info(
    { directory, postmaster: pid, port, milliseconds: Date.now() - began },
    running.attached
      ? 'the embedded PostgreSQL was still running and is used again'
      : `the embedded PostgreSQL ${isNew ? 'was created and ' : ''}is running`,
  )
  return { running, launch, password }
}

/** What the file system refuses (a read-only disk, no rights, no space) is for that person too. */
function forThePersonWhoStartsUs(error: unknown, directory: string): unknown {
  if (error instanceof StartupError || !(error instanceof Error) || !('syscall' in error))
    return error
  return new StartupError(
    `The embedded PostgreSQL cannot be started in DATA_DIR ${directory}: ${error.message}`,
    { cause: error },
  )
}
