// 202 means committed to disk: a database that is set to forget commits is refused at the start.
import type { ClientBase } from 'pg'
import { StartupError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'

const oldestVersion = 150_000

/**
 * Checks that the database is PostgreSQL 15 or later, takes writes, and keeps what it commits.
 * @param allowUnsafe warn in place of refusing a database that may forget
 */
export async function assertDurable(
  client: ClientBase,
  allowUnsafe: boolean,
  logger: Logger,
): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN
     ('server_version_num', 'fsync', 'synchronous_commit', 'full_page_writes', 'transaction_read_only')`,
  )
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]))
  const version = Number(settings.get('server_version_num'))
  if (version < oldestVersion)
    throw new StartupError(
      `PostgreSQL 15 or later is needed; DATABASE_URL is version ${Math.floor(version / 10_000)}`,
    )
  if (settings.get('transaction_read_only') === 'on')
    throw new StartupError('The database of DATABASE_URL is read-only, perhaps a standby')
  const off = ['fsync', 'synchronous_commit', 'full_page_writes'].filter(
    (name) => settings.get(name) === 'off',
  )
  if (off.length === 0) return
  const problem = `The database may lose packets that were acknowledged: ${off.join(', ')} is off`
  if (!allowUnsafe)
    throw new StartupError(`${problem}. Switch it on, or set ALLOW_UNSAFE_DATABASE=true.`)
  logger.warn(problem)
}
