// How the gateway reaches the embedded server: its URL, and the question whether it answers there.
// The database `gateway` is made by the first connection that misses it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { databaseUser } from './cluster.ts'

const database = 'gateway'

/** "Come back later": starting or stopping (57P03, 57P01), full (53300), not or no longer there. */
const later = new Set(['57P03', '57P01', '53300', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'])
const missingDatabase = '3D000'

/** The longest path of a socket that every system takes, in bytes (`sun_path` of macOS, less its end). */
const longestSocketPath = 103

/**
 * The URL of a database of the server that is ready on a cluster; it contains the password. By the socket in the
 * cluster, which costs a tenth less for each packet than TCP does; by TCP where there is none, or its path is too long.
 */
export function connectionUrl(
  cluster: string,
  port: number,
  password: string,
  name = database,
): string {
  const socket = join(cluster, `.s.PGSQL.${port}`)
  const isReachable = Buffer.byteLength(socket) <= longestSocketPath && existsSync(socket)
  const host = isReachable ? encodeURIComponent(cluster) : '127.0.0.1'
  // Without a word about TLS, PGSSLMODE in the environment would decide, and the server has none.
  return `postgresql://${databaseUser}:${password}@${host}:${port}/${name}?sslmode=disable`
}

/**
 * Whether the server takes a connection to our database.
 * @returns false when it may in a moment
 * @throws when it refuses for good
 */
export async function answers(cluster: string, port: number, password: string): Promise<boolean> {
  try {
    await query(connectionUrl(cluster, port, password), 'SELECT')
    return true
  } catch (error) {
    if (codeOf(error) === missingDatabase) {
      await query(connectionUrl(cluster, port, password, 'postgres'), `CREATE DATABASE ${database}`)
      return true
    }
    if (later.has(codeOf(error))) return false
    throw error
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A connection that breaks while nothing is asked has nobody else to tell; unheard, it ends the
  // process.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
