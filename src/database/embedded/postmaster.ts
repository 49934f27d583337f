// The server process itself: how to find the one that runs on a cluster, start one, stop one. It
// lives in a session of its own, apart from ours: Ctrl-C goes to a whole process group, and the
// gateway must drain before the database goes. So it also survives a gateway that is killed, and
// the next one finds it here.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../telemetry/logger.ts'
import { type Account, asAccount, clusterPath } from './account.ts'
import type { Binaries } from './binaries.ts'
import { parameterArguments } from './parameters.ts'
import { isPostgresOf, processBirth } from './processes.ts'

/** A server that lives. */
export type Postmaster = {
  readonly pid: number
  readonly birth: string
  readonly port: number
  /** Whether it takes connections; else it starts, recovers or stops. */
  readonly ready: boolean
}

/** A server process that we started, which may end before it is of use. */
export type Spawned = {
  readonly pid: number | undefined
  /** Why it is no more, once it is no more. */
  readonly ended: () => string | undefined
}

const pidFile = (cluster: string) => join(cluster, 'postmaster.pid')

/** The server that runs on this cluster, if one does. */
export function findPostmaster(cluster: string): Postmaster | undefined {
  const lines = readPidFile(cluster)
  const pid = Number(lines?.[0])
  const port = Number(lines?.[3])
  if (!(pid > 0 && port > 0)) return undefined
  const birth = processBirth(pid)
  if (birth === undefined || !isPostgresOf(pid, cluster)) return undefined
  return { pid, birth, port, ready: lines?.[7]?.trim() === 'ready' }
}

/** Whether that very server process still lives. */
export function isAlive({ pid, birth }: Postmaster): boolean {
  return processBirth(pid) === birth
}

/**
 * Prepares a cluster without a server for a start. To PostgreSQL a left-over `postmaster.pid` means
 * a running server if any process has its number by now, or a zombie still has: so that one goes.
 * @returns whether a server had ended here without tidying up
 */
export function discardRemains(cluster: string): boolean {
  const lines = readPidFile(cluster)
  if (lines === undefined) return false
  if (numberIsInUse(Number(lines[0]))) rmSync(pidFile(cluster), { force: true })
  return true
}

function numberIsInUse(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readPidFile(cluster: string): string[] | undefined {
  try {
    return readFileSync(pidFile(cluster), 'utf8').split('\n')
  } catch {
    return undefined
  }
}

/** What to start a server with. */
export type Launch = {
  readonly cluster: string
  readonly account: Account
  readonly binaries: Binaries
  readonly port: number
  /** How many connections the gateway may want; few, if it is not said. */
  readonly connections?: number
  /** Gets what the server says before its own log is open. */
  readonly startupLog: string
}

/** Starts a server, and does not wait for it. */
export function spawnPostmaster(launch: Launch): Spawned {
  const { cluster, account, binaries } = launch
  const { file, args, ids } = asAccount(account, join(binaries.directory, 'postgres'), [
    '-D',
    clusterPath(account, cluster),
    ...parameterArguments(launch.port, launch.connections ?? 0),
  ])
  const output = openSync(launch.startupLog, 'w', 0o600)
  const child = spawn(file, args, {
    ...ids,
    cwd: cluster,
    env: binaries.environment,
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  child.unref()
  let ended: string | undefined
  child.on('error', (error) => {
    ended = error.message
  })
  child.on('exit', (code, signal) => {
    ended = signal ? `it was ended by ${signal}` : `it ended with code ${code}`
  })
  return { pid: child.pid, ended: () => ended }
}

/**
 * Stops a server and waits for its end. What does not stop in order within 30 s is stopped at once,
 * and recovers at its next start.
 */
export async function stopPostmaster(postmaster: Postmaster, logger: Logger): Promise<void> {
  const { pid } = postmaster
  // "Fast": open transactions are rolled back; sessions are not waited for.
  if (await endsBy('SIGINT', postmaster, 30_000)) return
  logger.warn(
    { pid },
    'PostgreSQL does not stop; ending it at once, it will recover at its next start',
  )
  if (await endsBy('SIGQUIT', postmaster, 10_000)) return
  logger.error({ postmaster: pid }, 'PostgreSQL did not stop')
}

async function endsBy(
  signal: NodeJS.Signals,
  postmaster: Postmaster,
  milliseconds: number,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds
  if (isAlive(postmaster)) process.kill(postmaster.pid, signal)
  while (isAlive(postmaster)) {
    if (Date.now() > deadline) return false
    await delay(10)
  }
  return true
}
