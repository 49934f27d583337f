// A PostgreSQL of a test's own, to be stopped in its tracks, killed and started again where it was.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { chooseAccount } from '../../src/database/embedded/account.ts'
import { findBinaries } from '../../src/database/embedded/binaries.ts'
import { answers } from '../../src/database/embedded/connection.ts'
import { startEmbeddedPostgres } from '../../src/database/embedded/postgres.ts'
import {
  discardRemains,
  findPostmaster,
  spawnPostmaster,
  stopPostmaster,
} from '../../src/database/embedded/postmaster.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { until } from './until.ts'

/** A server of a test's own; it is stopped and removed at the end of the scope (`await using`). */
export type PrivatePostgres = AsyncDisposable & {
  /** The same after a restart. */
  readonly url: string
  /** SIGSTOP to all its processes: connections stay open, and nobody answers. */
  readonly pause: () => void
  /** They go on where they were. */
  readonly resume: () => void
  /** kill -9 of the postmaster; its children end by themselves, or with it if they are paused. */
  readonly kill: () => Promise<void>
  /** kill -9 of one process that serves a gateway; the server then restarts by itself. */
  readonly killBackend: () => Promise<void>
  /** Starts it again on the same port; resolves when it has recovered. */
  readonly restart: () => Promise<void>
}

const betweenStartsMs = 50

/** Creates and starts a server; of TEST_POSTGRES_BIN, if that is set. */
export async function startPrivatePostgres(): Promise<PrivatePostgres> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'gateway-private-postgres-'))
  const logger = createLogger({ level: 'error', pretty: false })
  const binDirectory = process.env.TEST_POSTGRES_BIN
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    logger,
    ...(binDirectory === undefined ? {} : { binDirectory }),
  })
  const cluster = join(dataDirectory, 'postgres')
  const port = Number(new URL(postgres.url).port)
  let paused: readonly number[] = []

  function postmaster(): number {
    const { pid } = findPostmaster(cluster) ?? {}
    if (pid === undefined) throw new Error('the private server does not run')
    return pid
  }

  function pauseAll(): void {
    const parent = postmaster()
    // First the one that starts the others.
    process.kill(parent, 'SIGSTOP')
    paused = [parent, ...childrenOf(parent)]
    for (const pid of paused) process.kill(pid, 'SIGSTOP')
  }

  function signalPaused(signal: NodeJS.Signals): void {
    for (const pid of paused) process.kill(pid, signal)
    paused = []
  }

  async function restart(): Promise<void> {
    const account = await chooseAccount(dataDirectory, cluster)
    const linkDirectory = join(dataDirectory, 'libraries')
    const binaries = await findBinaries({ account, cluster, linkDirectory, binDirectory })
    const password = (await readFile(join(dataDirectory, 'password'), 'utf8')).trim()
    const startupLog = join(dataDirectory, 'startup.log')
    let spawned: ReturnType<typeof spawnPostmaster> | undefined
    await until('the server answers again', async () => {
      // It does not start while children of the killed one are still there.
      if (spawned === undefined || spawned.ended() !== undefined) {
        discardRemains(cluster)
        spawned = spawnPostmaster({ cluster, account, binaries, startupLog, port })
      }
      await pause(betweenStartsMs)
      return findPostmaster(cluster)?.ready === true && (await answers(port, password))
    })
  }

  return {
    url: postgres.url,
    pause: pauseAll,
    resume: () => signalPaused('SIGCONT'),
    kill: async () => {
      process.kill(postmaster(), 'SIGKILL')
      signalPaused('SIGKILL')
      await until('the postmaster is gone', () => findPostmaster(cluster) === undefined)
    },
    killBackend: async () => {
      const client = new pg.Client(postgres.url)
      client.on('error', () => {})
      await client.connect()
      const { rows } = await client.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'ai-pbx-gateway intake'",
      )
      if (rows[0] === undefined) throw new Error('no gateway is connected')
      process.kill(rows[0].pid, 'SIGKILL')
      // The server ends all its connections: this one as well.
      await client.end().catch(() => {})
    },
    restart,
    [Symbol.asyncDispose]: async () => {
      signalPaused('SIGCONT')
      const running = findPostmaster(cluster)
      if (running !== undefined) await stopPostmaster(running, logger)
      await postgres.stop()
      await rm(dataDirectory, { recursive: true, force: true })
    },
  }
}

function childrenOf(parent: number): number[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  return processes
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))
}
