// One real PostgreSQL for the whole run, with a migrated template from which every test file makes databases
// of its own. TEST_DATABASE_URL names another server to use (a superuser of it); TEST_POSTGRES_BIN
// another PostgreSQL's programs. What the tests write is kept in memory where there is enough of it.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/database/embedded/postgres.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { databaseUrl, templateName } from './database.ts'

const root = join(import.meta.dirname, '..', '..')
const memory = '/dev/shm'
const enoughBytes = 6 * 2 ** 30
const stack = new AsyncDisposableStack()

/** Runs once, before all test files. */
export async function globalSetup(): Promise<void> {
  const logger = createLogger({ level: 'warn', pretty: false })
  if (await isRoomInMemory()) process.env.TMPDIR = memory
  const temporary = await mkdtemp(join(tmpdir(), 'gateway-test-'))
  stack.defer(() => rm(temporary, { recursive: true, force: true }))
  // Unprivileged users have to pass; what is in it is closed by itself.
  await chmod(temporary, 0o755)
  process.env.TMPDIR = temporary
  await compileOnce()
  if (process.env.TEST_DATABASE_URL === undefined) {
    const folder = await mkdtemp(join(temporary, 'postgres-'))
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

/** Whether there is room for the databases of a whole run, with their logs. */
async function isRoomInMemory(): Promise<boolean> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }))
  return Math.min(bavail * bsize, freemem()) >= enoughBytes
}

/** What is compiled is kept by processes that end in order: a gateway that is killed leaves nothing to the next. */
async function compileOnce(): Promise<void> {
  process.env.NODE_COMPILE_CACHE = join(root, 'node_modules', '.cache', 'compiled')
  const program = join(root, 'bin', 'ai-pbx-gateway.js')
  await promisify(execFile)(process.execPath, [program, '--version'])
}
