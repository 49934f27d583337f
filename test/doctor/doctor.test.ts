// The doctor beside real gateways: what it says of everything that can be wrong, and the line that mends it.
import assert from 'node:assert/strict'
import { createServer as createHttpServer, request } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import pg from 'pg'
import { describeFindings } from '../../src/doctor/doctor.ts'
import { protocols } from '../../src/simulator/protocols.ts'
import { createDatabase } from '../support/database.ts'
import { type Examined, examineWith, freePort } from '../support/doctor.ts'
import { startGateway } from '../support/gateway.ts'
import { startPrivatePostgres } from '../support/private-postgres.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const names = protocols.map(({ name }) => name)
/** Of a gateway that demands no signature, and does not listen for AudioSocket. */
const { gateway, database } = await sharedGateway()
const settings = { DATABASE_URL: database.url, AUDIOSOCKET_PORT: 'off' }

function assertListeners({ of }: Examined, verdict: string, except: readonly string[] = []): void {
  for (const name of names)
    if (!except.includes(name)) assert.equal(of(name).verdict, verdict, of(name).text)
}

/** Something that listens, until the end of the scope. */
async function listen(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

suite('the doctor', { concurrency: 4 }, () => {
  test('says of a gateway with which all is well that it is', async () => {
    const { findings } = await examineWith(gateway.url, { ...settings, PUBLIC_URL: gateway.url })
    const problems = findings.filter(({ verdict }) => verdict === 'problem')
    assert.deepEqual(problems, [])
    const text = describeFindings(findings)
    assert.match(text, /^ok +twilio +2 s of speech on inbound and outbound arrived whole\.$/m)
    assert.match(text, /^ok +public URL +A call to PUBLIC_URL \S+ arrived here\.$/m)
    assert.match(text, /^- +audiosocket +AUDIOSOCKET_PORT is off\.$/m)
    assert.match(text, /^Nothing keeps the gateway from its work\. \d+ warnings\.$/m)
  })

  test('names the settings that the gateway has and it was not given, and tells no secret', async () => {
    const secrets = {
      TWILIO_AUTH_TOKEN: 'the-auth-token-of-twilio',
      FONOSTER_ACCESS_KEY_SECRET: 'the-secret-of-fonoster',
      GENESYS_API_KEY: 'the-key-of-genesys',
      GENESYS_CLIENT_SECRET: Buffer.from('the-secret-of-genesys').toString('base64'),
    }
    await using own = await createDatabase()
    await using signed = await startGateway(own.url, secrets)
    const ownSettings = { ...settings, DATABASE_URL: own.url }
    const without = await examineWith(signed.url, {
      ...ownSettings,
      TWILIO_AUTH_TOKEN: 'wrong one',
    })
    for (const [name, setting] of [
      ['twilio', 'TWILIO_AUTH_TOKEN'],
      ['fonoster', 'FONOSTER_ACCESS_KEY_SECRET'],
      ['genesys', 'GENESYS_API_KEY'],
    ] as const) {
      assert.equal(without.of(name).verdict, 'problem')
      assert.match(without.of(name).text, /refused with 403/)
      assert.match(without.of(name).fix ?? '', new RegExp(`run the doctor with .*${setting}`))
    }
    assertListeners(without, 'ok', ['twilio', 'fonoster', 'genesys', 'audiosocket'])
    assert.ok(!without.text.includes('wrong one'))
    const given = await examineWith(signed.url, { ...ownSettings, ...secrets })
    assertListeners(given, 'ok', ['audiosocket'])
    for (const secret of Object.values(secrets)) assert.ok(!given.text.includes(secret))
  })

  test('finds AudioSocket off, and a port that something else has', async () => {
    const port = await freePort()
    const off = await examineWith(gateway.url, { ...settings, AUDIOSOCKET_PORT: `${port}` })
    assert.equal(off.of('audiosocket').verdict, 'problem')
    assert.match(off.of('audiosocket').text, /ECONNREFUSED/)
    assert.match(off.of('audiosocket').fix ?? '', /^AUDIOSOCKET_PORT=/)
    await using other = await listen(createServer((socket) => void socket.resume()))
    const busy = await examineWith(gateway.url, { ...settings, AUDIOSOCKET_PORT: `${other.port}` })
    assert.match(busy.of('audiosocket').text, /something else has the port/)
    assert.match(busy.of('audiosocket').fix ?? '', /^AUDIOSOCKET_PORT=/)
    const unknown = await examineWith(gateway.url, { ...settings, AUDIOSOCKET_PORT: '0' })
    assert.equal(unknown.of('audiosocket').verdict, 'skipped')
  })

  test('finds a clock that is wrong', async () => {
    const late = await examineWith(gateway.url, settings, () => Date.now() - 61_000)
    assert.equal(late.of('clock').verdict, 'problem')
    assert.match(late.of('clock').text, /6[01]\.\d s off/)
    assert.match(late.of('clock').fix ?? '', /set-ntp/)
  })

  test('finds a listener that hangs, and does not wait for it', async () => {
    await using silent = await listen(createServer())
    const publicUrl = `http://127.0.0.1:${silent.port}`
    const { findings } = await examineWith(gateway.url, { ...settings, PUBLIC_URL: publicUrl })
    assert.ok(findings.some(({ text }) => /it was not over within 4 s/.test(text)))
  })
})

suite('the doctor finds a PUBLIC_URL', { concurrency: 4 }, () => {
  const told = async (publicUrl: string) => {
    const { findings } = await examineWith(gateway.url, { ...settings, PUBLIC_URL: publicUrl })
    const finding = findings.find(
      ({ check, verdict }) => check === 'public URL' && verdict === 'problem',
    )
    assert.ok(finding, JSON.stringify(findings))
    return finding
  }

  test('that leads nowhere, and does not show its password', async () => {
    const { text, fix } = await told(`https://me:hidden@127.0.0.1:${await freePort()}`)
    assert.match(text, /does not lead to a gateway/)
    assert.match(fix ?? '', /^PUBLIC_URL=/)
    assert.ok(!text.includes('hidden'))
  })

  test('that leads to something else', async () => {
    await using web = await listen(createHttpServer((_, response) => response.end('hello')))
    const { text } = await told(`http://127.0.0.1:${web.port}`)
    assert.match(text, /does not lead to a gateway: .*refused with 200/)
  })

  test('that leads to another gateway', async () => {
    await using otherDatabase = await createDatabase()
    await using other = await startGateway(otherDatabase.url)
    const { text } = await told(other.url)
    assert.match(text, /it leads to another gateway/)
  })

  test('behind a proxy that does not pass on the upgrade', async () => {
    const proxy = createHttpServer(({ method, url }, response) => {
      const onward = request(`${gateway.url}${url}`, { method }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      onward.end()
    })
    await using listening = await listen(proxy)
    const { text, fix } = await told(`http://127.0.0.1:${listening.port}`)
    assert.match(text, /does not pass on WebSockets/)
    assert.match(fix ?? '', /proxy_set_header Upgrade/)
  })
})

suite('the doctor finds a database', { concurrency: 3 }, () => {
  for (const [what, fail] of [
    ['that is gone', 'kill'],
    ['that stands still', 'pause'],
  ] as const)
    test(what, async () => {
      await using postgres = await startPrivatePostgres()
      await using own = await startGateway(postgres.url)
      await postgres[fail]()
      const examined = await examineWith(own.url, { ...settings, DATABASE_URL: postgres.url })
      assert.equal(examined.of('gateway').verdict, 'problem')
      assert.equal(examined.of('database').verdict, 'problem')
      assert.match(examined.of('database').fix ?? '', /^DATABASE_URL=/)
      assertListeners(examined, 'skipped')
      assert.ok(!examined.text.includes(new URL(postgres.url).password))
    })

  test('that forgets, and that no gateway is there', async () => {
    await using postgres = await startPrivatePostgres()
    const client = new pg.Client(postgres.url)
    await client.connect()
    await client.query('ALTER SYSTEM SET fsync = off')
    await client.query('SELECT pg_reload_conf()')
    await until('fsync is off', async () => {
      const { rows } = await client.query<{ fsync: string }>('SHOW fsync')
      return rows[0]?.fsync === 'off'
    })
    await client.end()
    const url = `http://127.0.0.1:${await freePort()}`
    const { of } = await examineWith(url, { ...settings, DATABASE_URL: postgres.url })
    assert.match(of('durability').text, /may be lost: fsync is off/)
    assert.match(of('durability').fix ?? '', /ALTER SYSTEM SET fsync = on;.*pg_reload_conf/)
    assert.match(of('database').text, /has no tables yet/)
    assert.match(of('gateway').text, /ECONNREFUSED/)
    assert.equal(of('gateway').fix, 'npm start')
  })
})
