// WORKERS: several processes, one port, one command; to those who use it, one gateway.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { startEmbeddedPostgres } from '../../src/database/embedded/postgres.ts'
import { ledgerConnections } from '../../src/ledger/ledger.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { untilArchived } from '../support/archived.ts'
import { runCommand, startCommand, temporaryFolder } from '../support/command.ts'
import { newDataDirectory } from '../support/data-directory.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { assertNoHoles, connectFeed } from '../support/feed-client.ts'
import { completeCall, getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startLoad } from '../support/load.ts'
import { callIds, eventsPerCall } from '../support/results.ts'
import { createSender } from '../support/sender.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'
import { everListened, lives } from '../support/worker-processes.ts'

/** What a worker may open: for packets, for queries, for the analysis, and to listen. */
const perWorker = ledgerConnections + 8 + 8 + 1

const two = { WORKERS: '2' }
const { gateway, database } = await sharedGateway(two)
const { url, log } = gateway

async function analysingProcesses({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ owners: number }>(
    'SELECT count(DISTINCT lease_owner) AS owners FROM attempts',
  )
  return rows[0]?.owners ?? 0
}

test('two workers are two processes besides the command’s, on one port, which is told once', async () => {
  // Each process writes lines of its own, which come in any order.
  await until('each worker says where it listens', () => everListened(log).length === 2)
  const processes = everListened(log)
  assert.deepEqual(processes.map(({ worker }) => worker).toSorted(), [1, 2])
  assert.equal(new Set([gateway.pid, ...processes.map(({ pid }) => pid)]).size, 3)
  for (const { msg, worker } of log)
    if (msg?.startsWith('listening')) assert.equal(msg, `listening on ${url}`, `${worker}`)
  const told = log.filter(({ msg }) => msg === 'gateway ready')
  assert.deepEqual(
    told.map((line) => [line.pid, line.url]),
    [[gateway.pid, url]],
  )
})

test('both workers get connections, and packets of a call through both are stored once each', async () => {
  const sequences = Array.from({ length: 40 }, (_, index) => index + 1)
  for (let time = 0; time < 2; time += 1) {
    // All at once: each has a connection of its own.
    const answers = await Promise.all(sequences.map((n) => sendPacket(url, 'twice', n)))
    assert.ok(answers.every(({ status }) => status === 202))
  }
  const workers = await until('a warning of each repeated packet', () => {
    const warnings = log.filter((line) => line.call_id === 'twice' && line.duplicate === true)
    return warnings.length === sequences.length && warnings.map(({ worker }) => worker)
  })
  assert.deepEqual(new Set(workers), new Set([1, 2]))
  const { body } = await getCall(url, 'twice')
  assert.deepEqual([body.total_packets, body.missing_packets], [sequences.length, ''])
  await completeCall(url, 'twice')
  await untilArchived(database, 1)
})

test('under load every packet is stored once, every client of the feed hears every event once', async (t) => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, { ...two, AI_SERVICE_MAX_LATENCY: '0.1' })
  await using clients = new AsyncDisposableStack()
  const supervisors = await Promise.all(
    Array.from({ length: 4 }, async () => clients.use(await connectFeed(gateway.url))),
  )
  using pbx = createSender(() => [gateway.url])
  const load = startLoad(pbx, { clients: 12, packetsPerCall: 20, window: 4, seed: 5 })
  await until('enough packets', () => pbx.history.length > 2_000)
  const calls = await load.stop()
  await untilArchived(database, calls.length)

  const [first, ...others] = await Promise.all(
    supervisors.map((supervisor) => supervisor.received(calls.length * eventsPerCall)),
  )
  assert.ok(first)
  assertNoHoles(first, 0)
  for (const events of others) assert.deepEqual(events, first)
  assert.equal(await analysingProcesses(database), 2)
  t.diagnostic(`${calls.length} calls, ${pbx.history.length} packets`)
  await assertInvariants(database.pool, pbx.history)

  const [one] = everListened(gateway.log)
  assert.ok(one)
  process.kill(one.pid, 'SIGKILL')
  await Promise.any(supervisors.map(({ closed }) => closed))
  // Until then it is given connections, which end with it.
  await until('the death is noticed', () =>
    gateway.log.some(({ msg }) => msg?.startsWith('a worker died')),
  )
  await sendPacket(gateway.url, 'later', 1)
  // Some were on that worker, and some on the other.
  await Promise.any(supervisors.map((supervisor) => supervisor.sees('later', 'IN_PROGRESS')))
})

test('health and statistics are those of all workers, whichever is asked', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, {
    ...two,
    AI_SERVICE_MAX_LATENCY: '0.05',
    ANALYSIS_CONCURRENCY: '4',
  })
  const ids = callIds('call', 60)
  await Promise.all(ids.map((id) => sendPacket(gateway.url, id, 1)))
  await Promise.all(ids.map((id) => completeCall(gateway.url, id)))
  await untilArchived(database, ids.length)
  assert.equal(await analysingProcesses(database), 2, 'each has a part of the sum')
  await using clients = new AsyncDisposableStack()
  for (let client = 0; client < 5; client += 1) clients.use(await connectFeed(gateway.url))

  const counts = { total_requests: ids.length, successful: ids.length, failed: 0, success_rate: 1 }
  const all = { is_running: true, processed_count: ids.length, ai_service_stats: counts }
  /** The answers over many connections at once: of both workers. */
  const answers = async (path: string) =>
    await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(gateway.url + path)).json()),
    )
  // A result is stored a moment before it is counted.
  await until('all are counted', async () => {
    const [stats] = (await answers('/stats')) as { processed_count: number }[]
    return stats?.processed_count === ids.length
  })
  for (const stats of await answers('/stats')) assert.deepEqual(stats, all)
  for (const health of await answers('/health'))
    assert.deepEqual(health, { status: 'healthy', database: 'connected', processor: all })
  for (const stats of (await answers('/ws/stats')) as { active_connections: number }[])
    assert.equal(stats.active_connections, 5)

  for (const { pid } of everListened(gateway.log)) process.kill(pid, 'SIGKILL')
  await until('others listen, where they did', () => {
    return gateway.log.filter(({ msg }) => msg === `listening on ${gateway.url}`).length === 4
  })
  const kept = (await answers('/stats')) as { processed_count: number }[]
  for (const { processed_count } of kept) assert.equal(processed_count, ids.length)
  for (const stats of (await answers('/ws/stats')) as { active_connections: number }[])
    assert.equal(stats.active_connections, 0)
})

test('what makes every worker impossible is told once, as by a single process', async () => {
  const env = { DATABASE_URL: database.url, APP_PORT: new URL(url).port }
  const single = await runCommand(['serve'], { env })
  const several = await runCommand(['serve'], { env: { ...env, WORKERS: '3' } })
  assert.match(single.stderr, /^Port \d+ on 127\.0\.0\.1 is in use, .*\n$/)
  assert.deepEqual([several.code, several.stderr], [single.code, single.stderr])
  assert.equal(several.code, 2)
  assert.doesNotMatch(several.stdout, /"level":"(error|fatal)"|gateway ready/)
})

test('a worker that dies before it listens is started anew, after longer and longer pauses', async () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'starts')
  const failing = `import cluster from 'node:cluster'
    import { appendFileSync, readFileSync } from 'node:fs'
    if (cluster.isWorker) {
      appendFileSync(${JSON.stringify(file)}, 'x')
      if (readFileSync(${JSON.stringify(file)}).length <= 4) process.exit(7)
    }`
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, {
    ...two,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(failing)}`,
  })
  const failures = gateway.log.filter(({ msg }) => msg?.startsWith('a worker did not start'))
  assert.deepEqual(
    failures.map(({ worker, reason, again_in_ms }) => [worker, reason, again_in_ms]),
    [100, 200, 400, 800].map((pause) => [1, 'exit code 7', pause]),
  )
  assert.equal((await sendPacket(gateway.url, 'call', 1)).status, 202)
})

suite('the embedded database', () => {
  test('has connections for all workers; a start that is interrupted leaves none of them', async () => {
    await using directory = newDataDirectory()
    await using command = startCommand(['serve'], {
      env: { WORKERS: '10', APP_PORT: '0', DATA_DIR: directory.path },
    })
    const pid = await until('a worker listens', () => {
      return /"pid":(\d+),"worker":1,"msg":"listening/.exec(command.stdout())?.[1]
    })
    const pool = directory.connect()
    const { rows } = await pool.query<{ most: string }>(
      "SELECT current_setting('max_connections') AS most",
    )
    await pool.end()
    assert.ok(Number(rows[0]?.most) >= 10 * perWorker + 50, JSON.stringify(rows))
    command.kill('SIGTERM')
    const { code, stdout, stderr } = await command.ended
    assert.deepEqual([code, stderr], [0, ''], stdout)
    assert.doesNotMatch(stdout, /"level":"(error|fatal)"|gateway ready/)
    for (const [, worker] of stdout.matchAll(/"pid":(\d+)/g)) assert.ok(!lives(Number(worker)))
    assert.ok(pid && !lives(Number(pid)))
    assert.equal(directory.postmaster(), undefined)
  })

  test('that outlived its gateway and has too few connections is started anew', async () => {
    await using directory = newDataDirectory()
    await using gateway = await startGateway('', { DATA_DIR: directory.path })
    await sendPacket(gateway.url, 'kept', 1)
    gateway.kill('SIGKILL')
    await gateway.exited
    const before = directory.postmaster()
    assert.ok(before)
    const settings = {
      dataDirectory: directory.path,
      logger: createLogger({ level: 'warn', pretty: false }),
    }
    const postgres = await startEmbeddedPostgres({ ...settings, connections: 400 })
    try {
      assert.notEqual(directory.postmaster()?.pid, before.pid)
      const pool = directory.connect()
      const { rows } = await pool.query(
        "SELECT call_id, current_setting('max_connections') AS most FROM calls",
      )
      await pool.end()
      assert.deepEqual(rows, [{ call_id: 'kept', most: '450' }])
    } finally {
      await postgres.stop()
    }
  })
})
