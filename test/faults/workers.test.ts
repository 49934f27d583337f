// A gateway of several processes, of which some are killed, hang or are told to end: what was acknowledged is there,
// every supervisor hears of it, and no process stays behind.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { startCommand } from '../support/command.ts'
import { newDataDirectory } from '../support/data-directory.ts'
import { createDatabase } from '../support/database.ts'
import { assertNoHoles, connectFeed, type FeedClient } from '../support/feed-client.ts'
import { sendPacket, startGateway } from '../support/gateway.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { assertGaveBack, endlessLeases } from '../support/leases.ts'
import { startLoad } from '../support/load.ts'
import { eventsPerCall } from '../support/results.ts'
import { createSender } from '../support/sender.ts'
import { sized } from '../support/soak.ts'
import { until } from '../support/until.ts'
import { everListened, listening, lives } from '../support/worker-processes.ts'

/** Which of the two is killed, one after the other. */
const victims = [1, 2, 2, 1].slice(0, sized(2, 4))
const two = { WORKERS: '2', AI_SERVICE_MAX_LATENCY: '0.2' }

test('workers that are killed under load are replaced, and nothing acknowledged is lost', async (t) => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, two)
  await using clients = new AsyncDisposableStack()
  const supervisors = await Promise.all(
    Array.from({ length: 4 }, async () => clients.use(await connectFeed(gateway.url))),
  )
  using pbx = createSender(() => [gateway.url])
  const load = startLoad(pbx, { clients: 6, packetsPerCall: 30, window: 3, seed: 3 })

  for (const place of victims) {
    const enough = count(pbx.history, 'acknowledged') + 100
    await until('some packets more', () => count(pbx.history, 'acknowledged') > enough)
    const victim = listening(gateway.log).find(({ worker }) => worker === place)
    assert.ok(victim)
    process.kill(victim.pid, 'SIGKILL')
    await until('another one listens', () => {
      const next = listening(gateway.log).find(({ worker }) => worker === place)
      return next !== undefined && next.pid !== victim.pid
    })
  }
  const calls = await load.stop()
  await untilArchived(database, calls.length)
  const deaths = gateway.log.filter(({ msg }) => msg === 'a worker died; another takes its place')
  assert.deepEqual(
    deaths.map(({ worker, reason }) => [worker, reason]),
    victims.map((place) => [place, 'ended by SIGKILL']),
  )
  t.diagnostic(
    `${calls.length} calls, ${count(pbx.history, 'acknowledged')} packets acknowledged, ` +
      `${count(pbx.history, 'unknown')} requests cut off`,
  )

  // Each was on a worker that was killed, and goes on at another from where it was.
  for (const supervisor of supervisors) {
    assert.equal(await supervisor.closed, 1006)
    const after = supervisor.position()
    await using back = await connectFeed(gateway.url, `/ws?after=${after}`)
    const all = calls.length * eventsPerCall
    await until('the last event', () => [...supervisor.events(), ...back.events()].length >= all)
    assertNoHoles([...supervisor.events(), ...back.events()], 0)
  }
  await assertInvariants(database.pool, pbx.history)
})

test('SIGTERM under load ends all processes in order, with 0', async () => {
  await using database = await createDatabase()
  await using next = await startGateway(database.url, endlessLeases)
  await using gateway = await startGateway(database.url, { ...two, ...endlessLeases })
  await using clients = new AsyncDisposableStack()
  const supervisors: FeedClient[] = []
  for (let client = 0; client < 4; client += 1)
    supervisors.push(clients.use(await connectFeed(gateway.url)))
  // To the one that ends as long as it takes packets, and then to the other.
  using pbx = createSender(() => [gateway.url, next.url])
  const load = startLoad(pbx, { clients: 6, packetsPerCall: 30, window: 3, seed: 4 })
  await until('some packets', () => count(pbx.history, 'acknowledged') > 300)

  gateway.kill('SIGTERM')
  assert.equal(await gateway.exited, 0)
  const workers = everListened(gateway.log).map(({ pid }) => pid)
  for (const pid of workers) assert.ok(!lives(pid))
  await assertGaveBack(database, workers)
  for (const supervisor of supervisors) assert.equal(await supervisor.closed, 1012)
  assert.equal(workers.length, 2, 'none was started anew')

  const calls = await load.stop()
  await untilArchived(database, calls.length)
  await assertInvariants(database.pool, pbx.history)
})

test('Ctrl-C, which all processes hear, ends them in order and then the embedded database', async () => {
  await using directory = newDataDirectory()
  await using command = startCommand(['serve'], {
    env: { WORKERS: '2', APP_PORT: '0', DATA_DIR: directory.path },
    group: true,
  })
  const url = await until('the gateway is ready', () => {
    return /"url":"([^"]+)","msg":"gateway ready"/.exec(command.stdout())?.[1]
  })
  assert.equal(command.stderr().match(/is ready\./g)?.length, 1, 'welcomed once')
  await using supervisor = await connectFeed(url)
  assert.equal((await sendPacket(url, 'call', 1)).status, 202)
  await supervisor.sees('call', 'IN_PROGRESS')
  command.killGroup('SIGINT')
  const { code, stdout } = await command.ended
  assert.equal(code, 0, stdout)
  assert.match(stdout, /"msg":"gateway stopped"\}\n$/)
  assert.doesNotMatch(stdout, /"level":"(error|fatal)"/)
  assert.equal(await supervisor.closed, 1012)
  for (const [, pid] of stdout.matchAll(/"pid":(\d+)/g)) assert.ok(!lives(Number(pid)))
  assert.equal(directory.postmaster(), undefined)
  assert.equal(existsSync(join(directory.path, 'gateway.lock')), false)
})

test('kill -9 of the primary leaves no worker; the next start takes the port and the database over', async () => {
  await using directory = newDataDirectory()
  await using killed = await startGateway('', { ...two, DATA_DIR: directory.path })
  const packets = Array.from({ length: 40 }, (_, n) => sendPacket(killed.url, 'kept', n + 1))
  assert.ok((await Promise.all(packets)).every(({ status }) => status === 202))
  const workers = listening(killed.log)
  assert.equal(workers.length, 2)
  const postmaster = directory.postmaster()

  killed.kill('SIGKILL')
  assert.equal(await killed.exited, 'SIGKILL')
  await until('the workers are gone', () => workers.every(({ pid }) => !lives(pid)))

  await using next = await startGateway('', {
    ...two,
    DATA_DIR: directory.path,
    APP_PORT: new URL(killed.url).port,
  })
  assert.equal(next.url, killed.url)
  assert.equal(directory.postmaster()?.pid, postmaster?.pid)
  const response = await fetch(`${next.url}/v1/call/kept`)
  assert.equal(((await response.json()) as { total_packets: number }).total_packets, 40)
  next.kill('SIGTERM')
  assert.equal(await next.exited, 0)
  assert.equal(directory.postmaster(), undefined)
})

test('a connection on its way to a worker that dies is closed, and does not wait for ever', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, two)
  const [dying] = listening(gateway.log)
  assert.ok(dying)
  process.kill(dying.pid, 'SIGSTOP')
  // Each worker is handed a connection after it took the last one: one of these gets stuck.
  let answered = 0
  const requests = Array.from({ length: 4 }, async () => {
    const response = await fetch(gateway.url, { signal: AbortSignal.timeout(30_000) })
    answered += 1
    return response.status
  })
  const all = Promise.allSettled(requests)
  await until('the others are answered', () => answered === 3)
  process.kill(dying.pid, 'SIGKILL')
  const lost = (await all).filter((request) => request.status === 'rejected')
  assert.deepEqual(
    lost.map(({ reason }) => String(reason)),
    ['TypeError: fetch failed'],
  )
  await until('another worker listens', () => everListened(gateway.log).length === 3)
  assert.equal((await sendPacket(gateway.url, 'call', 1)).status, 202)
})

test('a worker that hangs holds up neither statistics nor the end, which is then not in order', async () => {
  await using directory = newDataDirectory()
  await using gateway = await startGateway('', { ...two, DATA_DIR: directory.path })
  const [hanging] = listening(gateway.log)
  assert.ok(hanging)
  process.kill(hanging.pid, 'SIGSTOP')
  // Connections go round: one of these is at the other worker.
  const read = async () => (await fetch(`${gateway.url}/stats`)).json()
  const stats = (await Promise.any([read(), read(), read()])) as { is_running: boolean }
  assert.equal(stats.is_running, true)
  gateway.kill('SIGTERM')
  assert.equal(await gateway.exited, 1)
  for (const { pid } of everListened(gateway.log)) assert.ok(!lives(pid))
  assert.equal(directory.postmaster(), undefined, 'the database ends in order all the same')
})
