// A DATA_DIR of a test's own, and the embedded database that may run in it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionUrl } from '../../src/database/embedded/connection.ts'
import { findPostmaster, type Postmaster } from '../../src/database/embedded/postmaster.ts'
import { createPool, type Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { temporaryFolder } from './command.ts'
import { until } from './until.ts'

/** The folder; what runs in it is ended, and all of it removed, at the end of the scope (`await using`). */
export type DataDirectory = AsyncDisposable & {
  readonly path: string
  /** The server that runs on it, if one does. */
  readonly postmaster: () => Postmaster | undefined
  /** Connections to the server that runs; the caller ends them. */
  readonly connect: () => Pool
}

/** An empty folder. */
export function newDataDirectory(): DataDirectory {
  const folder = temporaryFolder()
  const { path } = folder
  const postmaster = () => findPostmaster(join(path, 'postgres'))
  return {
    path,
    postmaster,
    connect: () => {
      const password = readFileSync(join(path, 'password'), 'utf8').trim()
      const url = connectionUrl(postmaster()?.port ?? 0, password)
      return createPool(url, 'test', 4, createLogger({ level: 'error', pretty: false }))
    },
    [Symbol.asyncDispose]: async () => {
      const running = postmaster()
      if (running !== undefined) process.kill(running.pid, 'SIGQUIT')
      await until('the server has ended', () => postmaster() === undefined)
      folder[Symbol.dispose]()
    },
  }
}
