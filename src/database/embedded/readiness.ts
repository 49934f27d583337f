// From "there is a cluster" to "a server answers": uses the server that already runs on it, waits
// for one that is still starting, recovering or stopping, and starts one when there is none. One
// loop that looks at what is, and does the next thing; bounded, and it fails with the words of
// PostgreSQL's own log.
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { StartupError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { answers } from './connection.ts'
import {
  discardRemains,
  findPostmaster,
  type Launch,
  type Postmaster,
  type Spawned,
  spawnPostmaster,
  stopPostmaster,
} from './postmaster.ts'
import { removeOldServerLogs, serverLogTail } from './server-log.ts'

const patience = 60_000
/** After a kill -9 the server's children need a moment to notice, and until then none can start. */
const crashPatience = 10_000

/** A server that answers. */
export type Running = {
  readonly postmaster: Postmaster
  /** Whether it had been running before. */
  readonly attached: boolean
}

/**
 * Sees to it that a server answers on this cluster: on the port given, else on any that is free.
 * @throws StartupError when none does after 60 s, or none can
 */
export async function bringUp(
  launch: Omit<Launch, 'port'> & { readonly port?: number },
  password: string,
  logger: Logger,
): Promise<Running> {
  const { cluster } = launch
  const began = Date.now()
  let retryUntil = 0
  let spawned: (Spawned & { port: number }) | undefined

  const fail = (reason: string) =>
    new StartupError(`PostgreSQL in ${cluster} ${reason}.\n${serverLogTail(launch, began)}`)

  for (;;) {
    const postmaster = findPostmaster(cluster)
    if (postmaster !== undefined) {
      const ours = postmaster.pid === spawned?.pid
      try {
        if (postmaster.ready && (await answers(postmaster.port, password)))
          return { postmaster, attached: !ours }
      } catch (error) {
        if (ours) await stopPostmaster(postmaster, logger)
        throw fail(`refuses us: ${error instanceof Error ? error.message : error}`)
      }
    } else if (spawned === undefined) {
      removeOldServerLogs(cluster)
      if (discardRemains(cluster) && retryUntil === 0) retryUntil = Date.now() + crashPatience
      const port = launch.port ?? (await freePort())
      spawned = { ...spawnPostmaster({ ...launch, port }), port }
    } else if (spawned.ended() !== undefined) {
      const another = Date.now() < retryUntil || !(await isFree(spawned.port))
      if (!another) throw fail(`does not start: ${spawned.ended()}`)
      spawned = undefined
      await delay(90)
    }
    // A server that is still recovering is left to it: a new attempt would begin from the start.
    if (Date.now() > began + patience) throw fail(`is not ready after ${patience / 1000} s`)
    await delay(10)
  }
}

async function freePort(): Promise<number> {
  return (await listen(0)) ?? Promise.reject(new StartupError('There is no free TCP port.'))
}

async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined
}

/** Listens for a moment. @returns the port, or nothing when it is taken */
async function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() =>
        resolve(address !== null && typeof address === 'object' ? address.port : 0),
      )
    })
  })
}
