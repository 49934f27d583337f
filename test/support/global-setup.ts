// One real PostgreSQL for the whole run, with a migrated template from which every test file makes databases
// of its own. TEST_DATABASE_URL names another server to use (a superuser of it); TEST_POSTGRES_BIN
// another PostgreSQL's programs.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/database/embedded/postgres.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { databaseUrl, templateName } from './database.ts'

const stack = new AsyncDisposableStack()

/** Runs once, before all test files. */
export async function globalSetup(): Promise<void> {
  const logger = createLogger({ level: 'warn', pretty: false })
  if (process.env.TEST_DATABASE_URL === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'gateway-test-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const binDirectory = process.env.TEST_POSTGRES_BIN
    const postgres = await startEmbeddedPostgres({
      dataDirectory: folder,
      logger,
      ...(binDirectory === undefined ? {} : { binDirectory }),
    })
    stack.defer(postgres.stop)
    process.env.TEST_DATABASE_URL = postgres.url
  }
  const server = new pg.Client(databaseUrl())
  await server.connect()
  const { rows } = await server.query<{ server_version: string }>('SHOW server_version')
  await server.query(`DROP DATABASE IF EXISTS ${templateName}`)
  await server.query(`CREATE DATABASE ${templateName}`)
  await server.end()
  const template = new pg.Client(databaseUrl(templateName))
  await template.connect()
  await migrate(template)
  await template.end()
  process.stdout.write(`# PostgreSQL ${rows[0]?.server_version}\n`)
}

/** Runs once, after all test files. */
export async function globalTeardown(): Promise<void> {
  await stack.disposeAsync()
}
