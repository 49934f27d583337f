// Connections to PostgreSQL. The parts that must not starve each other (intake, queries, analysis) get a
// pool each. Every wait is bounded: to connect, for a lock, for a statement, and for a peer that is gone.
import pg, { type ClientConfig, type Pool } from 'pg'
import type { Logger } from '../telemetry/logger.ts'

export type { Pool } from 'pg'

const parseInt8 = (text: string): number => Number(text)
const int8 = 20
const int8Array = 1016

const types: ClientConfig['types'] = {
  // 64-bit integers as numbers: everything we keep in one (sequences, ids, counts) is at most 2^53 - 1.
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === int8) return parseInt8
    if (oid === int8Array) return parseInt8Array
    return pg.types.getTypeParser(oid, format)
  },
}

function parseInt8Array(text: string): number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number)
}

const longestLockWaitMs = 5_000

/** How one connection is set up. */
export function connectionSettings(url: string, name: string): ClientConfig {
  return {
    connectionString: url,
    application_name: `ai-pbx-gateway ${name}`,
    types,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    lock_timeout: longestLockWaitMs,
    statement_timeout: 30_000,
    query_timeout: 35_000,
    idle_in_transaction_session_timeout: 10_000,
  }
}

/** What a pool may do otherwise. */
export type PoolOptions = {
  /** The longest wait for a lock, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** Connections are not closed while nobody needs them: the next one would first have to connect, prepare and plan. */
  readonly keepsIdle?: boolean
}

const longestIdleMs = 10_000

/**
 * A pool of at most `size` connections, named for `pg_stat_activity`. A connection that breaks while idle
 * is logged and replaced by the next query; it never ends the process.
 */
export function createPool(
  url: string,
  name: string,
  size: number,
  logger: Logger,
  { lockTimeoutMs = longestLockWaitMs, keepsIdle = false }: PoolOptions = {},
): Pool {
  const pool = new pg.Pool({
    ...connectionSettings(url, name),
    lock_timeout: lockTimeoutMs,
    max: size,
    idleTimeoutMillis: keepsIdle ? 0 : longestIdleMs,
  })
  pool.on('error', (error) => {
    // One that is being closed cannot be lost, though the server may be the first to end it.
    if (!pool.ending) logger.warn({ pool: name, reason: error.message }, 'connection lost')
  })
  return pool
}
