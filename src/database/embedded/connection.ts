// How the gateway reaches the embedded server: its URL, and the question whether it answers there.
// The database `gateway` is made by the first connection that misses it.
import pg from 'pg'
import { databaseUser } from './cluster.ts'

const database = 'gateway'

/** "Come back later": starting or stopping (57P03, 57P01), full (53300), not or no longer there. */
const later = new Set(['57P03', '57P01', '53300', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])
const missingDatabase = '3D000'

/** The URL of a database of the server; it contains the password. */
export function connectionUrl(port: number, password: string, name = database): string {
  // Without a word about TLS, PGSSLMODE in the environment would decide, and the server has none.
  return `postgresql://${databaseUser}:${password}@127.0.0.1:${port}/${name}?sslmode=disable`
}

/**
 * Whether the server takes a connection to our database.
 * @returns false when it may in a moment
 * @throws when it refuses for good
 */
export async function answers(port: number, password: string): Promise<boolean> {
  try {
    await query(connectionUrl(port, password), 'SELECT')
    return true
  } catch (error) {
    if (codeOf(error) === missingDatabase) {
      await query(connectionUrl(port, password, 'postgres'), `CREATE DATABASE ${database}`)
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
