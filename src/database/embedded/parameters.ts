// The server's parameters, on its command line: there they are the same after every update of the
// gateway, whatever an older one left in the folder. Durability (fsync, synchronous_commit,
// full_page_writes) is not among them: the defaults are the safe ones. Only what PostgreSQL 15
// knows.
import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'

const parameters = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Segments are written in a stream: fewer checkpoints, fewer full pages in the log.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // The rows of calls change often, and their tables should not swell between two visits.
  autovacuum_naptime: '10s',
  logging_collector: 'on',
  log_directory: 'log',
  // One file a weekday, begun anew each week: seven files, and no more.
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: 0,
  log_truncate_on_rotation: 'on',
  log_min_duration_statement: -1,
} as const

const leastConnections = 200
/** What PostgreSQL caches of its files, in MiB: a sixteenth of the memory, within these bounds. */
const buffers = { share: 1 / 16, least: 128, most: 1_024 } as const
/** For people and their tools: psql, backups. */
const connectionsOfOthers = 50

/**
 * The arguments of `postgres` for these parameters.
 * @param connections how many the gateway may want
 */
export function parameterArguments(port: number, connections: number): string[] {
  const max_connections = Math.max(leastConnections, connections + connectionsOfOthers)
  const shared_buffers = `${bufferMebibytes(memoryBytes())}MB`
  return Object.entries({ ...parameters, max_connections, shared_buffers, port }).flatMap(
    ([name, value]) => ['-c', `${name}=${value}`],
  )
}

/** How much the server may cache on a machine with so much memory, in MiB. */
export function bufferMebibytes(memory: number): number {
  const share = Math.floor((memory * buffers.share) / 2 ** 20)
  return Math.min(Math.max(share, buffers.least), buffers.most)
}

/** Of the machine, or of the container if that is less, in bytes. */
function memoryBytes(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem()
}

/** Whether the server that was started last on a cluster has so many connections for the gateway. */
export function hasConnections(cluster: string, connections: number): boolean {
  // PostgreSQL writes down with which arguments it was started.
  const path = join(cluster, 'postmaster.opts')
  const options = existsSync(path) ? readFileSync(path, 'utf8') : ''
  return Number(options.match(/max_connections=(\d+)/)?.[1]) >= connections + connectionsOfOthers
}
