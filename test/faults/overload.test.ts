// A database that stops in its tracks, or is killed there: packets are refused at once and not hoarded, streams wait,
// and all go on by themselves when it is back. The gateway has its usual patience.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { settings as allSettings } from '../../src/config.ts'
import { createPool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { untilArchived } from '../support/archived.ts'
import { startGateway } from '../support/gateway.ts'
import { count, type PacketRequest } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startLoad } from '../support/load.ts'
import { growthOf } from '../support/memory.ts'
import { createPacketClient, type PacketAnswer } from '../support/packet-client.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets } from '../support/packet-socket.ts'
import { startPrivatePostgres } from '../support/private-postgres.ts'
import { createSender, type Packet } from '../support/sender.ts'
import { until } from '../support/until.ts'

const settings = { PACKET_PATIENCE_SECONDS: allSettings.PACKET_PATIENCE_SECONDS.fallback }

test('while PostgreSQL does not answer every packet is refused, and none is kept', async (t) => {
  await using postgres = await startPrivatePostgres()
  await using gateway = await startGateway(postgres.url, settings)
  using pbx = createPacketClient(gateway.url)
  await pbx.sendAll(packetsOf('before', 600), 8)
  const lines = () => gateway.log.slice(linesBefore)
  const linesBefore = gateway.log.length
  const began = performance.now()
  postgres.pause()

  // One after the other, then many at once, on many calls. Nobody resumes it: all are answered as it stands.
  const refused: PacketAnswer[] = []
  for (const packet of packetsOf('single', 60)) {
    refused.push(await pbx.send(packet))
    assertRefused(refused.slice(-1))
  }
  diagnose(t, 'one at a time', refused)
  refused.push(...(await pbx.sendAll(packetsOf('burst', 500), 500)))
  assertRefused(refused)
  const health = await fetch(`${gateway.url}/health`)
  assert.equal(health.status, 503)
  assert.equal(((await health.json()) as { database: string }).database, 'disconnected')
  assert.equal((await fetch(gateway.url, { headers: { accept: 'application/json' } })).status, 200)
  const large = 'x'.repeat(8_000)
  refused.push(...(await pbx.sendAll(packetsOf('warm', 4_000, large), 100)))
  const grown = await growthOf(gateway.pid, async () => {
    refused.push(...(await pbx.sendAll(packetsOf('large', 20_000, large), 100)))
  })
  assertRefused(refused)
  diagnose(t, 'many at once', refused)
  t.diagnostic(`memory grew by ${grown >> 20} MB at 20,000 refused packets of 8 kB`)
  assert.ok(grown < 80 * 2 ** 20, `${grown} bytes: refused packets are kept`)

  // Each of them is in a line of the log, and there are a few lines a second.
  await until('the log has them all', () => {
    const ofRefusals = gateway.log.filter(({ msg }) => msg === 'packets could not be taken')
    const logged = ofRefusals.reduce((sum, { packets }) => sum + Number(packets), 0)
    return logged === pbx.history.filter(({ status }) => status === 503).length
  })
  const seconds = (performance.now() - began) / 1_000
  t.diagnostic(
    `${refused.length} refused in ${seconds.toFixed(1)} s, ${lines().length} lines of log`,
  )
  assert.ok(lines().length < 10 * (seconds + 1), `${lines().length} lines in ${seconds} s`)
  assert.deepEqual(
    lines().filter(({ msg, level }) => level === 'fatal' || /defect/.test(msg ?? '')),
    [],
  )

  postgres.resume()
  const resumed = performance.now()
  const [again] = packetsOf('again', 1)
  assert.ok(again)
  await until('packets are taken', async () => (await pbx.send(again)).status === 202)
  t.diagnostic(`taken again after ${Math.round(performance.now() - resumed)} ms`)
  await pbx.sendAll(packetsOf('burst', 500), 50)
  await using pool = openPool(postgres.url)
  await assertInvariants(pool, pbx.history)
})

test('a PostgreSQL that is killed while it does not answer has all that was acknowledged', async (t) => {
  await using postgres = await startPrivatePostgres()
  await using gateway = await startGateway(postgres.url, settings)
  using pbx = createSender(() => [gateway.url])
  const running = startLoad(pbx, { clients: 8, packetsPerCall: 300, window: 4, seed: 5 })
  const acknowledged = () => count(pbx.history, 'acknowledged')
  for (const fault of ['pause', 'kill', 'pause and kill', 'pause'] as const) {
    const enough = acknowledged() + 300
    await until('300 packets more', () => acknowledged() >= enough)
    const refused = () => pbx.history.filter(({ status }) => status === 503).length
    const many = refused() + 100
    if (fault !== 'kill') {
      postgres.pause()
      await until('packets are refused', () => refused() >= many)
    }
    if (fault === 'pause') postgres.resume()
    else {
      await postgres.kill()
      await until('packets are refused', () => refused() >= many + 100)
      await postgres.restart()
    }
    const back = performance.now()
    const next = acknowledged() + 1
    await until('packets are taken', () => acknowledged() >= next)
    t.diagnostic(`${fault}: taken again after ${Math.round(performance.now() - back)} ms`)
  }
  const calls = await running.stop()
  await using pool = openPool(postgres.url)
  await untilArchived({ pool }, calls.length)
  t.diagnostic(`${acknowledged()} acknowledged, ${count(pbx.history, 'unknown')} in doubt`)
  assert.equal(gateway.log.filter(({ level }) => level === 'fatal').length, 0)
  await assertInvariants(pool, pbx.history)
})

test('a stream waits for a PostgreSQL that does not answer, or died, and loses nothing', async (t) => {
  await using postgres = await startPrivatePostgres()
  await using gateway = await startGateway(postgres.url, settings)
  using stream = await openStream(gateway.url)
  for (const fault of ['pause', 'kill', 'pause and kill', 'pause'] as const) {
    stream.sendPackets(500)
    await until('they are acknowledged', () => stream.unsettled() === 0)
    if (fault !== 'kill') postgres.pause()
    if (fault !== 'pause') await postgres.kill()
    // More than is read as long as nothing is stored.
    stream.sendPackets(6_000)
    const response = await fetch(`${gateway.url}/health`)
    assert.equal(response.status, 503)
    assert.equal(stream.unsettled(), 12_000)
    if (fault === 'pause') postgres.resume()
    else await postgres.restart()
    const back = performance.now()
    stream.sendPackets(500)
    await until('all are acknowledged', () => stream.unsettled() === 0)
    t.diagnostic(`${fault}: all acknowledged after ${Math.round(performance.now() - back)} ms`)
  }
  for (const call_id of ['text', 'media']) {
    stream.send({ type: 'complete', call_id })
    await stream.hears({ type: 'completed', call_id })
  }
  const wrong = stream.heard.filter(({ type }) => type !== 'ack' && type !== 'completed')
  assert.deepEqual(wrong, [])
  const repeated = stream.heard.reduce((sum, ack) => sum + Number(ack.duplicates ?? 0), 0)
  t.diagnostic(`${stream.history.length} packets, ${repeated} of them stored by a try in doubt`)
  await using pool = openPool(postgres.url)
  await untilArchived({ pool }, 2)
  await assertInvariants(pool, stream.history)
})

/** One WebSocket with two calls: `text` as JSON, `media` as binary packets. */
async function openStream(url: string) {
  const stream = await connectPackets(url, 'text')
  stream.send({ type: 'open', channel: 1, call_id: 'media' })
  const history: PacketRequest[] = []
  let sequence = 0

  function sendBoth(): void {
    sequence += 1
    const data = `packet ${sequence}`
    const timestamp = sequence + 0.5
    stream.send({ sequence, data, timestamp })
    stream.send(frameOf({ channel: 1, sequence, timestamp, media: Buffer.from(data) }))
    for (const callId of ['text', 'media'])
      history.push({ callId, sequence, data, timestamp, ...acknowledged })
  }

  return {
    ...stream,
    history,
    /** Sends so many packets of each call. */
    sendPackets: (many: number) => {
      for (let count = 0; count < many; count += 1) sendBoth()
    },
    unsettled: () =>
      2 * sequence - stream.settled('text').packets - stream.settled('media').packets,
  }
}

/** In the end all are. */
const acknowledged = { outcome: 'acknowledged', status: undefined, duplicate: false } as const

/** Packets of twenty calls. */
function packetsOf(name: string, many: number, data = 'speech'): Packet[] {
  return Array.from({ length: many }, (_, n) => ({
    callId: `${name}-${n % 20}`,
    sequence: 1 + Math.floor(n / 20),
    data,
  }))
}

function assertRefused(answers: readonly PacketAnswer[]): void {
  for (const { status, code, retryAfter } of answers)
    assert.deepEqual([status, code, retryAfter], [503, 'database_unavailable', '1'])
}

function diagnose(t: TestContext, how: string, answers: readonly PacketAnswer[]): void {
  const sorted = answers.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)
  t.diagnostic(`${how}: refused after ${at(0.5)} ms (p50), ${at(0.99)} (p99), ${at(1)} (longest)`)
}

function openPool(url: string) {
  const pool = createPool(url, 'test', 2, createLogger({ level: 'error', pretty: false }))
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}
