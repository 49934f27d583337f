// The embedded database with real processes: what a person does to it (start, stop, start twice),
// and what the world does to it (kill -9, a half-made folder, process numbers used again).
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../../src/database/embedded/postgres.ts'
import { until } from '../../support/until.ts'
import {
  calls,
  cleanUp,
  connect,
  gone,
  newDirectory,
  newDirectoryInClosedOne,
  query,
  refusal,
  serverPid,
  startGateway,
} from './harness.ts'

const logger = pino({ level: 'silent' })
const template = newDirectory()

before(async () => {
  const database = await startEmbeddedPostgres({ dataDirectory: template, logger })
  await query(database.url, `CREATE TABLE calls (id text); INSERT INTO calls VALUES ('first')`)
  await database.stop()
})

after(cleanUp)

/** A stopped database with the table `calls` and one row, `first`, in it. */
function copyOfTemplate(): string {
  const directory = newDirectory()
  cpSync(template, directory, { recursive: true })
  chmodSync(join(directory, 'postgres'), 0o700)
  return directory
}

test('the first start makes a durable, private, empty database, and stop ends it', async () => {
  const directory = newDirectory()
  const database = await startEmbeddedPostgres({ dataDirectory: directory, logger })
  assert.match(database.url, /^postgresql:\/\/gateway:[\w-]{32}@127\.0\.0\.1:\d+\/gateway\b/)
  const settings = Object.fromEntries(
    (await query(database.url, 'SELECT name, setting FROM pg_settings')).map((row) => [
      row.name,
      row.setting,
    ]),
  )
  const expected = {
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    data_checksums: 'on',
    server_encoding: 'UTF8',
    TimeZone: 'UTC',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    max_wal_size: '2048',
    checkpoint_timeout: '900',
    autovacuum_naptime: '10',
    log_min_duration_statement: '-1',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(settings[name], value, name)
  const cached = (Number(settings.shared_buffers) * 8) / 1_024
  assert.ok(cached >= 128 && cached <= 1_024, `${cached} MiB`)
  assert.deepEqual(
    await query(database.url, 'SELECT datcollate, datname FROM pg_database WHERE oid > 16000'),
    [{ datcollate: 'C', datname: 'gateway' }],
  )
  await assert.rejects(query(database.url.replace(/:[\w-]{32}@/, ':wrong@'), 'SELECT'), {
    code: '28P01',
  })

  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal(statSync(join(directory, 'password')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(directory, 'postgres/log')).length, 1)
  const pid = serverPid(directory) ?? 0
  await Promise.all([database.stop(), database.stop()])
  await database.stop()
  await gone(pid)
  assert.equal(serverPid(directory), undefined)
  assert.equal(existsSync(join(directory, 'gateway.lock')), false)
})

test('what was committed is there after a stop and a start, also in a closed folder', async () => {
  const dataDirectory = newDirectoryInClosedOne()
  const first = await startEmbeddedPostgres({ dataDirectory, logger })
  await query(first.url, `CREATE TABLE calls (id text); INSERT INTO calls VALUES ('kept')`)
  await first.stop()
  const second = await startEmbeddedPostgres({ dataDirectory, logger })
  assert.deepEqual(await calls(second.url), ['kept'])
  await second.stop()
})

test('a stop does not wait for clients', async () => {
  const database = await startEmbeddedPostgres({ dataDirectory: copyOfTemplate(), logger })
  const client = await connect(database.url)
  await client.query('BEGIN; LOCK TABLE calls')
  const began = Date.now()
  await database.stop()
  assert.ok(Date.now() - began < 15_000)
  await assert.rejects(client.query('COMMIT'))
})

test('a second gateway in the same folder is refused, by name', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const url = await gateway.url()
  await assert.rejects(
    startEmbeddedPostgres({ dataDirectory, logger }),
    refusal(`DATA_DIR ${dataDirectory} is in use by another gateway (process ${gateway.pid})`),
  )
  assert.deepEqual(await calls(url), ['first'])
  await gateway.stop()
  assert.equal(serverPid(dataDirectory), undefined)
})

test('of many gateways that find a lock left behind, one starts', async () => {
  const dataDirectory = copyOfTemplate()
  writeFileSync(join(dataDirectory, 'gateway.lock'), '4194305 123\n')
  const gateways = Array.from({ length: 6 }, () => startGateway({ dataDirectory }))
  const said = await Promise.all(gateways.map((gateway) => gateway.says()))
  assert.deepEqual(said.map(({ event }) => event).toSorted(), [
    ...Array.from({ length: 5 }, () => 'StartupError'),
    'started',
  ])
  await Promise.all(gateways.map((gateway) => gateway.stop()))
})

test('Ctrl-C reaches the gateway and not its database', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const url = await gateway.url()
  const pid = serverPid(dataDirectory)
  gateway.signalGroup('SIGINT')
  assert.equal((await gateway.says()).event, 'interrupted')
  assert.deepEqual(await calls(url), ['first'])
  assert.equal(serverPid(dataDirectory), pid)
  await gateway.stop()
})

test('the server of a gateway that was killed is used by the next', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const url = await gateway.url()
  const pid = serverPid(dataDirectory)
  await gateway.kill()
  const next = await startEmbeddedPostgres({ dataDirectory, logger })
  assert.equal(next.url, url)
  assert.equal(serverPid(dataDirectory), pid)
  assert.deepEqual(await calls(next.url), ['first'])
  await next.stop()
  await gone(pid ?? 0)
})

test('a server that was killed too is started anew and has all that was committed', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const url = await gateway.url()
  await query(url, `INSERT INTO calls VALUES ('second')`)
  const pid = serverPid(dataDirectory) ?? 0
  await gateway.kill()
  process.kill(pid, 'SIGKILL')
  const next = await startEmbeddedPostgres({ dataDirectory, logger })
  assert.notEqual(serverPid(dataDirectory), pid)
  assert.deepEqual(await calls(next.url), ['first', 'second'])
  await next.stop()
})

test('a server that dies under a gateway that watches it is started again, where it was', async () => {
  const directory = copyOfTemplate()
  const database = await startEmbeddedPostgres({ dataDirectory: directory, logger })
  database.watch()
  const killed = serverPid(directory)
  assert.ok(killed !== undefined)
  process.kill(killed, 'SIGKILL')
  await gone(killed)
  await until('another server', () => (serverPid(directory) ?? killed) !== killed)
  let found: unknown[] = []
  await until('it answers', async () => {
    found = await calls(database.url).catch(() => [])
    return found.length > 0
  })
  assert.deepEqual(found, ['first'])
  await database.stop()
})

test('the last process of a server that was killed is waited for', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const [checkpointer] = await query(
    await gateway.url(),
    `SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'`,
  )
  const survivor = Number(checkpointer?.pid)
  await gateway.kill()
  process.kill(survivor, 'SIGSTOP')
  process.kill(serverPid(dataDirectory) ?? 0, 'SIGKILL')
  const next = startEmbeddedPostgres({ dataDirectory, logger })
  const log = () => readFileSync(join(dataDirectory, 'startup.log'), 'utf8')
  await until('an attempt to start has failed', () => log().includes('FATAL'))
  process.kill(survivor, 'SIGCONT')
  const database = await next
  assert.deepEqual(await calls(database.url), ['first'])
  await database.stop()
})

test('a server that is stopping is waited for', async () => {
  const dataDirectory = copyOfTemplate()
  const gateway = startGateway({ dataDirectory })
  const client = await connect(await gateway.url())
  const pid = serverPid(dataDirectory) ?? 0
  await gateway.kill()
  // A "smart" stop, as from a service manager that signals all: the server waits for its clients.
  process.kill(pid, 'SIGTERM')
  const status = () => readFileSync(join(dataDirectory, 'postgres/postmaster.pid'), 'utf8')
  await until('the server stops', () => status().includes('stopping'))
  const next = startEmbeddedPostgres({ dataDirectory, logger })
  await until('the next gateway is at it', () => existsSync(join(dataDirectory, 'gateway.lock')))
  assert.equal(serverPid(dataDirectory), pid)
  await client.end()
  const database = await next
  assert.notEqual(serverPid(dataDirectory), pid)
  assert.deepEqual(await calls(database.url), ['first'])
  await database.stop()
})

test('a postmaster.pid whose number something else has by now is no obstacle', async (t) => {
  // A process that never asks for the end of its child, as in a container without an init.
  const parent = spawn('sh', ['-c', 'exec 3<&0; read line <&3 & echo $!; exec sleep 600'])
  t.after(() => parent.kill())
  const zombie = Number(String((await once(parent.stdout, 'data'))[0]))
  const command = () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')
  await until('the shell has become another program', () => command() === 'sleep\n')
  parent.stdin.end('end\n')
  await gone(zombie)
  assert.ok(process.kill(zombie, 0))
  for (const pid of [process.ppid, zombie]) {
    const dataDirectory = copyOfTemplate()
    const lines = [pid, join(dataDirectory, 'postgres'), 1, 5432, '', '127.0.0.1', '1 1', 'ready']
    writeFileSync(join(dataDirectory, 'postgres/postmaster.pid'), `${lines.join('\n')}\n`)
    const database = await startEmbeddedPostgres({ dataDirectory, logger })
    assert.deepEqual(await calls(database.url), ['first'])
    await database.stop()
  }
})

test('a copy of the folder of a running server is another database', async () => {
  const original = copyOfTemplate()
  const first = await startEmbeddedPostgres({ dataDirectory: original, logger })
  const dataDirectory = copyOfTemplate()
  cpSync(join(original, 'postgres/postmaster.pid'), join(dataDirectory, 'postgres/postmaster.pid'))
  const second = await startEmbeddedPostgres({ dataDirectory, logger })
  assert.notEqual(serverPid(dataDirectory), serverPid(original))
  await second.stop()
  assert.deepEqual(await calls(first.url), ['first'])
  await first.stop()
})

test('a first start that was killed in the middle is done again', async () => {
  const dataDirectory = newDirectory()
  const gateway = startGateway({ dataDirectory })
  const entries = () => (existsSync(dataDirectory) ? readdirSync(dataDirectory) : [])
  await until('initdb is at work', () =>
    entries().some((name) => existsSync(join(dataDirectory, name, 'postgres/global'))),
  )
  gateway.signalGroup('SIGKILL')
  await gone(gateway.pid)
  assert.equal(existsSync(join(dataDirectory, 'postgres')), false)
  const database = await startEmbeddedPostgres({ dataDirectory, logger })
  assert.deepEqual(await query(database.url, 'SELECT 1 AS one'), [{ one: 1 }])
  await database.stop()
  assert.deepEqual(readdirSync(dataDirectory).toSorted(), ['password', 'postgres', 'startup.log'])
})

test('a cluster folder without a database in it is put aside, not removed', async () => {
  const dataDirectory = newDirectory()
  mkdirSync(join(dataDirectory, 'postgres/base'), { recursive: true })
  const database = await startEmbeddedPostgres({ dataDirectory, logger })
  await database.stop()
  assert.equal(readdirSync(dataDirectory).filter((name) => name.includes('incomplete')).length, 1)
})

test('a server that cannot start is reported with its log, and the folder is free', async () => {
  const dataDirectory = copyOfTemplate()
  const configuration = join(dataDirectory, 'postgres/postgresql.conf')
  const text = readFileSync(configuration)
  appendFileSync(configuration, '\nno_such_parameter = 1\n')
  await assert.rejects(
    startEmbeddedPostgres({ dataDirectory, logger }),
    refusal(dataDirectory, 'no_such_parameter'),
  )
  writeFileSync(configuration, text)
  await (await startEmbeddedPostgres({ dataDirectory, logger })).stop()
})

test('a password that is not the right one is reported, and the server does not stay', async () => {
  const dataDirectory = copyOfTemplate()
  writeFileSync(join(dataDirectory, 'password'), 'wrong\n')
  await assert.rejects(startEmbeddedPostgres({ dataDirectory, logger }), refusal('password'))
  assert.equal(serverPid(dataDirectory), undefined)
})

test('a data directory that cannot be made is a mistake of the person who starts', async () => {
  const file = newDirectory()
  writeFileSync(file, '')
  const dataDirectory = join(file, 'data')
  await assert.rejects(startEmbeddedPostgres({ dataDirectory, logger }), refusal(dataDirectory))
})
