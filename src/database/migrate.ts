// Brings the schema up to date: `migrations/*.sql`, in order, each once, forward only. node-pg-migrate applies
// them under an advisory lock, so gateways that start together wait for each other; beside it we keep the
// checksum of every applied file, because a shipped migration that was edited afterwards means that two
// installations differ without anybody noticing.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runner } from 'node-pg-migrate'
import type { ClientBase } from 'pg'
import { StartupError } from '../errors.ts'

const folder = join(import.meta.dirname, 'migrations')

function shippedMigrations(): Map<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return new Map(
    files.toSorted().map((file) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')
      return [file.replace(/\.sql$/, ''), digest]
    }),
  )
}

/**
 * Applies what is missing, over a connection of its own.
 * @returns the names of the migrations that were applied now
 * @throws StartupError when an applied migration is unknown to this version or was edited afterwards
 */
export async function migrate(client: ClientBase): Promise<string[]> {
  const shipped = shippedMigrations()
  const applied = await runner({
    dbClient: client,
    dir: folder,
    direction: 'up',
    migrationsTable: 'migrations',
    advisoryLockMode: 'wait',
    singleTransaction: true,
    checkOrder: true,
    logger: quiet,
  }).catch((error: unknown) => {
    throw new StartupError(`The database cannot be migrated: ${describe(error)}`, { cause: error })
  })
  for (const { name } of applied)
    await client.query('INSERT INTO migration_checksums VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      name,
      shipped.get(name),
    ])
  const stored = await client.query<{ name: string; sha256: string }>(
    'SELECT name, sha256 FROM migration_checksums',
  )
  for (const { name, sha256 } of stored.rows)
    if (shipped.get(name) !== sha256)
      throw new StartupError(
        shipped.has(name)
          ? `The migration ${name} was changed after it had been applied to this database.`
          : `This database was migrated by a newer gateway (it has ${name}).`,
      )
  return applied.map(({ name }) => name)
}

// What goes wrong is thrown, and said once.
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
