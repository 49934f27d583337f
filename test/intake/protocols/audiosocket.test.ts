// AudioSocket by TCP, on a gateway as its users run it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite, test } from 'node:test'
import { loadRecordings } from '../../../src/simulator/recordings.ts'
import { linearAudio, splitVoices } from '../../../src/simulator/voices.ts'
import {
  audioFrames,
  audioSocketFrame,
  connectAudioSocket,
  uuidFrame,
} from '../../support/audiosocket-client.ts'
import { runCommand } from '../../support/command.ts'
import { createDatabase } from '../../support/database.ts'
import { type GatewayProcess, startGateway } from '../../support/gateway.ts'
import { endedStreams, storedAudio, storedSilences } from '../../support/media-calls.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'
import { until } from '../../support/until.ts'

const { gateway, database } = await sharedGateway({
  AUDIOSOCKET_PORT: '0',
  RECONNECT_GRACE_SECONDS: '1',
  REDACTION: 'off',
})
const { pool } = database
const address = addressOf(gateway)
const [recording] = await loadRecordings()
assert.ok(recording)
const speech = linearAudio(splitVoices(recording), { channels: 'mixed', sampleRate: 8_000 })
const second = speech.subarray(0, 16_000)
const hangup = audioSocketFrame(0x00)
const silence = audioSocketFrame(0x10, Buffer.alloc(320))

function addressOf({ log }: GatewayProcess): string {
  return String(log.find(({ msg }) => msg === 'gateway ready')?.audio_socket)
}

function key(digit: string): Buffer {
  return audioSocketFrame(0x03, Buffer.from(digit))
}

async function statusOf(callId: string): Promise<string> {
  const { rows } = await pool.query('SELECT status FROM calls WHERE call_id = $1', [callId])
  return String(rows[0]?.status)
}

async function announce(uuid: string, body: object): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/media/audiosocket/${uuid}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(response.status, 200, await response.text())
}

suite('a call', () => {
  test('of real speech is stored sample for sample, with its keys, and ends when it is hung up', async () => {
    const uuid = randomUUID()
    using client = await connectAudioSocket(address)
    client.send(uuidFrame(uuid.toUpperCase()), ...audioFrames(second), key('5'), key('#'))
    client.send(...audioFrames(speech.subarray(second.length)), hangup)
    await client.closed
    const events = await endedStreams(pool, uuid)
    assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(speech))
    assert.deepEqual(
      events.map(({ event, digit, by }) => `${event} ${digit ?? by ?? ''}`),
      ['stream_started ', 'dtmf 5', 'dtmf #', 'stream_ended stopped'],
    )
    assert.deepEqual(await storedSilences(pool, uuid), [])
    await until('it is analysed', async () => (await statusOf(uuid)) === 'ARCHIVED')
  })

  test('whose segments hold a byte each is stored the same', async () => {
    const uuid = randomUUID()
    using client = await connectAudioSocket(address)
    for (const byte of Buffer.concat([uuidFrame(uuid), ...audioFrames(second.subarray(0, 640))]))
      client.send(Buffer.of(byte))
    client.send(hangup)
    await endedStreams(pool, uuid)
    assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(second.subarray(0, 640)))
  })

  test('is of the rate that its frames say', async () => {
    const uuid = randomUUID()
    using client = await connectAudioSocket(address)
    client.send(uuidFrame(uuid), ...audioFrames(second, 0x12, 640), hangup)
    await endedStreams(pool, uuid)
    const { rows } = await pool.query(
      'SELECT media_format FROM tracks JOIN calls ON id = call WHERE call_id = $1',
      [uuid],
    )
    assert.deepEqual(rows, [{ media_format: { encoding: 'L16', rate: 16_000, clock: 'arrival' } }])
    assert.deepEqual(client.received().subarray(0, 323), silence)
  })

  test('without any audio leaves its trace, and ends', async () => {
    const uuid = randomUUID()
    using client = await connectAudioSocket(address)
    client.send(uuidFrame(uuid), key('1'), hangup)
    const events = await endedStreams(pool, uuid)
    assert.deepEqual(
      events.map(({ event }) => event),
      ['stream_started', 'dtmf', 'stream_ended'],
    )
    await until('it is analysed', async () => (await statusOf(uuid)) === 'ARCHIVED')
  })

  test('that ends with an error says which', async () => {
    const uuid = randomUUID()
    using client = await connectAudioSocket(address)
    client.send(uuidFrame(uuid), ...audioFrames(second), audioSocketFrame(0xff, Buffer.of(2)))
    const events = await endedStreams(pool, uuid)
    assert.deepEqual(events.slice(1), [
      { event: 'error', code: 2, meaning: 'a frame could not be forwarded' },
      { ...events[2], event: 'stream_ended', by: 'stopped', error: 2 },
    ])
  })

  test('of which only the connection ended waits for it to come back, and is complete when it does not', async () => {
    const uuid = randomUUID()
    using first = await connectAudioSocket(address)
    first.send(uuidFrame(uuid), ...audioFrames(second))
    first.end()
    await first.closed
    await endedStreams(pool, uuid)
    assert.equal(await statusOf(uuid), 'IN_PROGRESS')
    using again = await connectAudioSocket(address)
    // One frame: more at once would be of the time that it was away.
    const frame = second.subarray(0, 320)
    again.send(uuidFrame(uuid), ...audioFrames(frame))
    again.end()
    await endedStreams(pool, uuid, 2)
    assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(Buffer.concat([second, frame])))
    const [gap] = await storedSilences(pool, uuid)
    assert.deepEqual([gap?.cause, gap?.before_sequence], ['reconnect', 51])
    await until('it is analysed', async () => (await statusOf(uuid)) === 'ARCHIVED')
  })
})

suite('the sender', () => {
  test('hears silence at once, in one frame, and then every second', async () => {
    using client = await connectAudioSocket(address)
    const began = performance.now()
    client.send(uuidFrame(randomUUID()))
    await until('the first frame', () => client.received().length >= silence.length)
    await until('two more', () => client.received().length >= 3 * silence.length)
    assert.ok(performance.now() - began >= 1_900)
    assert.deepEqual(client.received(), Buffer.concat([silence, silence, silence]))
    client.send(audioSocketFrame(0x12, Buffer.alloc(640)))
    const wide = audioSocketFrame(0x12, Buffer.alloc(640))
    await until('silence of its own type', () => client.received().subarray(-643).equals(wide))
  })
})

suite('an announced stream', () => {
  test('is a track of its call: two connections are one call with both speakers', async () => {
    const [customer, agent, callId] = [randomUUID(), randomUUID(), 'announced-1']
    await announce(customer.toUpperCase(), { call_id: callId, track: 'inbound' })
    await announce(agent, { call_id: callId, track: 'outbound' })
    using one = await connectAudioSocket(address)
    using other = await connectAudioSocket(address)
    one.send(uuidFrame(customer), ...audioFrames(second))
    other.send(uuidFrame(agent), ...audioFrames(second.subarray(0, 8_000)))
    one.send(hangup)
    await endedStreams(pool, callId, 1)
    other.send(...audioFrames(second.subarray(8_000)), hangup)
    await endedStreams(pool, callId, 2)
    assert.ok((await storedAudio(pool, callId, 'inbound')).equals(second))
    assert.ok((await storedAudio(pool, callId, 'outbound')).equals(second))
    await until('it is analysed', async () => (await statusOf(callId)) === 'ARCHIVED')
  })

  test('has the coding that was announced, whatever its frames say', async () => {
    const uuid = randomUUID()
    await announce(uuid, { call_id: 'announced-2', track: 'mixed', encoding: 'PCMU' })
    using client = await connectAudioSocket(address)
    const audio = Buffer.alloc(161, 0xff)
    client.send(uuidFrame(uuid), audioSocketFrame(0x10, audio), hangup)
    await endedStreams(pool, 'announced-2')
    assert.ok((await storedAudio(pool, 'announced-2', 'mixed')).equals(audio))
  })
})

suite('what breaks the protocol is hung up, told once, and disturbs nobody', () => {
  const uuid = uuidFrame('40325ec2-5efd-4bd3-805f-53576e581d13')
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['audio before the UUID', silence, /first frame should be .*UUID.*0x10/],
    ['a hangup before the UUID', hangup, /first frame should be .*UUID.*0x00/],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /type of a frame .* 0x47/],
    ['a UUID of 36 bytes', audioSocketFrame(0x01, Buffer.alloc(36)), /16 bytes, but has 36/],
    ['two UUIDs', Buffer.concat([uuid, uuid]), /one UUID/],
    ['an unknown type', Buffer.concat([uuid, Buffer.of(0x42, 0, 0)]), /is 0x42/],
    ['frames of 64 KiB', Buffer.concat([uuid, Buffer.of(0x10, 255, 255)]), /has 65535/],
    ['half a sample', Buffer.concat([uuid, audioSocketFrame(0x10, Buffer.alloc(321))]), /odd/],
    [
      'another rate in the midst of a call',
      Buffer.concat([uuid, silence, audioSocketFrame(0x12, Buffer.alloc(640))]),
      /one type, here 0x10, but is of type 0x12/,
    ],
  ]
  for (const [what, wrong, reason] of cases)
    test(what, async () => {
      const good = randomUUID()
      using call = await connectAudioSocket(address)
      call.send(uuidFrame(good), ...audioFrames(second))
      // Of refusals of one second, the first is told in full.
      const [told] = await until('the last second of refusals is told', async () => {
        using client = await connectAudioSocket(address)
        const before = gateway.log.length
        client.send(wrong)
        await client.closed
        assert.deepEqual(client.received().subarray(-3), hangup)
        const lines = gateway.log.slice(before).filter(({ protocol }) => protocol === 'audiosocket')
        return lines.some((line) => reason.test(String(line.reason))) && lines
      })
      assert.equal(told?.level, 'warn')
      call.send(...audioFrames(second), hangup)
      await endedStreams(pool, good)
      assert.ok((await storedAudio(pool, good, 'mixed')).equals(Buffer.concat([second, second])))
    })

  test('10,000 connections that say nothing', async () => {
    const good = randomUUID()
    using call = await connectAudioSocket(address)
    call.send(uuidFrame(good), ...audioFrames(second))
    await using silent = new AsyncDisposableStack()
    let refused = 0
    for (let batch = 0; batch < 20; batch += 1) {
      const clients = await Promise.all(
        Array.from({ length: 500 }, () => connectAudioSocket(address)),
      )
      for (const client of clients) {
        silent.use(client)
        void client.closed.then(() => {
          refused += 1
        })
      }
      call.send(...audioFrames(second))
    }
    await until('the oldest made room', () => refused >= 8_000)
    call.send(hangup)
    await endedStreams(pool, good)
    const all = Buffer.concat(Array.from({ length: 21 }, () => second))
    assert.ok((await storedAudio(pool, good, 'mixed')).equals(all))
  })
})

suite('the port', () => {
  test('is shared by all workers', async () => {
    await using own = await createDatabase()
    await using workers = await startGateway(own.url, { AUDIOSOCKET_PORT: '0', WORKERS: '2' })
    const calls = Array.from({ length: 6 }, () => randomUUID())
    for (const uuid of calls) {
      using client = await connectAudioSocket(addressOf(workers))
      client.send(uuidFrame(uuid), ...audioFrames(second), hangup)
      await client.closed
      await endedStreams(own.pool, uuid)
      assert.ok((await storedAudio(own.pool, uuid, 'mixed')).equals(second))
    }
  })

  test('that was asked for and is in use is a reason not to start', async () => {
    const port = address.split(':')[1] ?? ''
    const { code, stderr } = await runCommand(['serve'], {
      env: { DATABASE_URL: database.url, APP_PORT: '0', AUDIOSOCKET_PORT: port },
    })
    assert.equal(code, 2)
    assert.equal(
      stderr,
      `Port ${port} on 127.0.0.1 is in use, perhaps by another gateway. Set AUDIOSOCKET_PORT to a free one.\n`,
    )
  })

  test('that nobody asked for and is in use is done without', async () => {
    await using other = createServer()
    // In use by us, or by somebody else before.
    other.listen(9092, '127.0.0.1')
    await once(other, 'listening').catch(({ code }) => assert.equal(code, 'EADDRINUSE'))
    await using without = await startGateway(database.url, { AUDIOSOCKET_PORT: 'auto' })
    assert.equal(addressOf(without), 'null')
    const told = without.log.find(({ msg }) => msg?.startsWith('No AudioSocket'))
    assert.equal(told?.level, 'warn')
    assert.match(String(told?.msg), /Port 9092 .* is in use.* Set AUDIOSOCKET_PORT to a free one/)
  })
})
