// Makes a database fit for use: reachable, durable, and of this version's schema.
import pg from 'pg'
import { StartupError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import { assertDurable } from './durability.ts'
import { migrate } from './migrate.ts'
import { connectionSettings } from './pool.ts'

/**
 * Checks and migrates the database.
 * @param allowUnsafe warn in place of refusing a database that may forget commits
 * @returns the names of the migrations that were applied now
 * @throws StartupError when it cannot be reached, is too old, unsafe or newer than this version
 */
export async function prepareDatabase(
  url: string,
  allowUnsafe: boolean,
  logger: Logger,
): Promise<string[]> {
  const client = await connect(url, logger)
  try {
    await assertDurable(client, allowUnsafe, logger)
    return await migrate(client)
  } finally {
    await client.end()
  }
}

async function connect(url: string, logger: Logger): Promise<pg.Client> {
  try {
    const client = new pg.Client({
      ...connectionSettings(url, 'migrations'),
      // Another gateway may be migrating, and a migration may take long.
      lock_timeout: 0,
      statement_timeout: 0,
      query_timeout: 0,
    })
    client.on('error', (error) => logger.warn({ reason: error.message }, 'connection lost'))
    await client.connect()
    return client
  } catch (error) {
    throw new StartupError(`Cannot connect to the database of DATABASE_URL: ${reason(error)}`, {
      cause: error,
    })
  }
}

/** A host with several addresses fails with an error for each, and no text of its own. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ')
  return error instanceof Error ? error.message : String(error)
}
