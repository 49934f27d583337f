// A gateway that cannot start says why, in a sentence and without a stack, ends with 2, and leaves nothing behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../support/command.ts'
import { newDataDirectory } from '../support/data-directory.ts'
import { createDatabase } from '../support/database.ts'
import { completeCall, getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const port = new URL(gateway.url).port

/** Starts a gateway that cannot start; what it says to the person. */
async function refusalOf(env: Record<string, string>, command = 'serve'): Promise<string> {
  const { code, stdout, stderr } = await runCommand([command], { env: { APP_PORT: '0', ...env } })
  assert.equal(code, 2, stderr)
  assert.doesNotMatch(stdout, /"level":"(error|fatal)"|gateway ready/)
  assert.doesNotMatch(stderr, /\n\s+at |node_modules/)
  return stderr
}

test('a port in use is named, and who has it goes on', async () => {
  const stderr = await refusalOf({ DATABASE_URL: database.url, APP_PORT: port })
  assert.equal(
    stderr,
    `Port ${port} on 127.0.0.1 is in use, perhaps by another gateway. Set APP_PORT to a free one.\n`,
  )
  assert.equal((await sendPacket(gateway.url, 'goes-on', 1)).status, 202)
})

test('an address that is not of this machine is named', async () => {
  const stderr = await refusalOf({ DATABASE_URL: database.url, APP_HOST: '192.0.2.1' })
  assert.match(stderr, /^Cannot listen on APP_HOST 192\.0\.2\.1, APP_PORT 0: EADDRNOTAVAIL\n$/)
})

const secret = 'hunter2'
const server = new URL(database.url)
const unreachable: readonly (readonly [what: string, url: string, says: RegExp])[] = [
  ['nobody listens', `postgres://me:${secret}@127.0.0.1:1/calls`, /ECONNREFUSED 127\.0\.0\.1:1/],
  [
    'there is no such database',
    database.url.replace(server.pathname, '/absent'),
    /database "absent" does not exist/,
  ],
  [
    'the password is wrong',
    database.url.replace(server.password, secret),
    /password authentication failed for user/,
  ],
  [
    'a certificate is named that is not there',
    `postgres://me:${secret}@127.0.0.1:1/calls?sslmode=verify-full&sslrootcert=/absent.pem`,
    /absent\.pem/,
  ],
]

for (const [what, url, says] of unreachable)
  for (const command of what === 'nobody listens' ? ['serve', 'migrate'] : ['serve'])
    test(`${command}: a database is refused where ${what}, and the password is not shown`, async () => {
      const stderr = await refusalOf({ DATABASE_URL: url }, command)
      assert.match(stderr, /^Cannot connect to the database of DATABASE_URL: /)
      assert.match(stderr, says)
      for (const password of [secret, server.password]) assert.ok(!stderr.includes(password))
    })

test('a host of several addresses, none of which answers, is refused with each of them', async () => {
  // As "localhost" is on most machines, and not on all.
  const twoAddresses = `import dns from 'node:dns'
    dns.lookup = (name, options, done) => process.nextTick(done, null,
      [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }])`
  const stderr = await refusalOf({
    DATABASE_URL: `postgres://me:${secret}@several.test:1/calls`,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(twoAddresses)}`,
  })
  assert.match(stderr, /ECONNREFUSED 127\.0\.0\.1:1; .*ECONNREFUSED 127\.0\.0\.2:1\n$/)
})

test('a database that may forget commits is refused, unless that is allowed', async () => {
  await using forgetful = await createDatabase()
  const name = new URL(forgetful.url).pathname.slice(1)
  await forgetful.pool.query(`ALTER DATABASE ${name} SET synchronous_commit = off`)
  const env = { DATABASE_URL: forgetful.url }
  for (const command of ['serve', 'migrate'])
    assert.equal(
      await refusalOf(env, command),
      'The database may lose packets that were acknowledged: synchronous_commit is off. ' +
        'Switch it on, or set ALLOW_UNSAFE_DATABASE=true.\n',
    )
  await using allowed = await startGateway(forgetful.url, { ALLOW_UNSAFE_DATABASE: 'true' })
  assert.equal((await sendPacket(allowed.url, 'risky', 1)).status, 202)
  assert.ok(
    allowed.log.some(
      ({ level, msg }) => level === 'warn' && msg?.includes('synchronous_commit is off'),
    ),
  )
})

test('a database that takes no writes is refused', async () => {
  await using standby = await createDatabase()
  const name = new URL(standby.url).pathname.slice(1)
  await standby.pool.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  const stderr = await refusalOf({ DATABASE_URL: standby.url })
  assert.match(stderr, /^The database of DATABASE_URL is read-only/)
})

test('a DATA_DIR is one gateway’s, who is named; a start that fails gives it back', async () => {
  await using directory = newDataDirectory()
  await using first = await startGateway('', { DATA_DIR: directory.path })
  await sendPacket(first.url, 'kept', 1)
  const postmaster = directory.postmaster()
  for (const command of ['serve', 'migrate'])
    assert.equal(
      await refusalOf({ DATA_DIR: directory.path }, command),
      `DATA_DIR ${directory.path} is in use by another gateway (process ${first.pid}). ` +
        'Stop that one, or set another DATA_DIR.\n',
    )
  assert.deepEqual(directory.postmaster(), postmaster)
  assert.equal((await completeCall(first.url, 'kept')).status, 200)
  assert.equal((await getCall(first.url, 'kept')).body.total_packets, 1)

  first.kill('SIGTERM')
  assert.equal(await first.exited, 0)
  const stderr = await refusalOf({ DATA_DIR: directory.path, APP_PORT: port })
  assert.match(stderr, new RegExp(`^Port ${port} `))
  assert.equal(directory.postmaster(), undefined, 'what was started to no end is stopped')
})
