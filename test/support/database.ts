import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { connectionSettings, createPool, type Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

/** The migrated database that tests copy. */
export const templateName = 'gateway_template'

/** The URL of the test server, with another database name if one is given. */
export function databaseUrl(database?: string): string {
  const url = process.env.TEST_DATABASE_URL
  if (url === undefined)
    throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test')
  if (database === undefined) return url
  const parsed = new URL(url)
  parsed.pathname = `/${database}`
  return parsed.href
}

/** A migrated database of the test's own. */
export type TestDatabase = AsyncDisposable & {
  readonly url: string
  readonly pool: Pool
}

/** Creates a migrated, empty database; it is dropped at the end of the scope (`await using`). */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(`CREATE DATABASE ${name} TEMPLATE ${templateName}`)
  const url = databaseUrl(name)
  const pool = createPool(url, 'test', 10, createLogger({ level: 'error', pretty: false }))
  return {
    url,
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end()
      await administer(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** One connection, closed at the end of the scope. */
export async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(connectionSettings(url, 'test'))
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Runs statements on the server outside any test database; a copy of the template may have to wait. */
async function administer(sql: string): Promise<void> {
  await using client = await connect(databaseUrl())
  // Files start at once, and only one copy of the template can be made at a time.
  await client.query('SELECT pg_advisory_lock(1)')
  await client.query(sql)
}
