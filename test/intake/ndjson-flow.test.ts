// Streams of lines over time: stored as they arrive, in bounded memory, and what is safe of one that breaks.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { completeCall, getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { lineOf, openLines } from '../support/line-stream.ts'
import { growthOf } from '../support/memory.ts'
import { openExchange } from '../support/raw-exchange.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

const line = (sequence: number, more = {}) => `${lineOf(sequence, more)}\n`
const lines = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => line(first + index)).join('')

async function isStored(callId: string, packets: number): Promise<boolean> {
  return (await storedPackets(database.pool, callId)).length === packets
}

async function seal(callId: string): Promise<void> {
  assert.equal((await completeCall(url, callId)).status, 200)
  await until('the result', async () => (await getCall(url, callId)).body.transcription)
}

suite('a stream that lasts', () => {
  test('is stored as it arrives, and answered in the end', async () => {
    using stream = openLines(url, 'lasts')
    for (const sequence of [1, 2, 3]) {
      await stream.write(line(sequence))
      await until(`${sequence} packets are stored`, () => isStored('lasts', sequence))
    }
    assert.equal(stream.hasAnswer(), false)
    const { status, body } = await stream.end()
    assert.deepEqual([status, body.packets], [202, 3])
  })

  test('may be joined by other streams and by packets one by one, of the same call', async () => {
    const sent = [0, 1, 2].map(async (turn) => {
      using stream = openLines(url, 'joined')
      for (let round = 0; round < 20; round += 1)
        await stream.write(lines(1 + turn * 400 + round * 20, 20))
      return await stream.end()
    })
    const single = Array.from({ length: 50 }, (_, index) =>
      sendPacket(url, 'joined', 1_201 + index),
    )
    for (const { status } of await Promise.all([...sent, ...single])) assert.equal(status, 202)
    const { body } = await getCall(url, 'joined')
    assert.deepEqual([body.total_packets, body.missing_packets], [1_250, ''])
    assert.ok(await isStored('joined', 1_250))
  })
})

test('what a stream takes of memory does not grow with its lines', async () => {
  const filler = 'x'.repeat(3_000)
  async function send(callId: string, count: number): Promise<void> {
    using stream = openLines(url, callId)
    for (let first = 1; first <= count; first += 100) {
      const chunk = Array.from({ length: 100 }, (_, index) => line(first + index, { filler }))
      await stream.write(chunk.join(''))
    }
    const { status, body } = await stream.end()
    assert.deepEqual([status, body.packets, body.accepted], [202, count, count])
  }
  const count = 200_000
  // A process takes up to 130 MiB, whatever is sent, before it collects what it has read.
  await send('warm', count)
  const growth = await growthOf(gateway.pid, () => send('many', count))
  assert.ok(growth < 100 * 2 ** 20, `${growth / 2 ** 20} MiB for more than 600 MB`)
  const { body } = await getCall(url, 'many')
  assert.deepEqual([body.total_packets, body.missing_packets], [count, ''])
})

suite('a stream of a call whose analysis begins in between', () => {
  test('is refused with counts, and its connection closed, though its sender goes on', async () => {
    using stream = openLines(url, 'sealed')
    await stream.write(lines(1, 10))
    await until('they are stored', () => isStored('sealed', 10))
    await seal('sealed')
    while (!stream.hasAnswer()) {
      await stream.write(lines(11, 500))
      await pause(0)
    }
    const { status, headers, body } = await stream.answer()
    assert.deepEqual([status, body.code, headers.connection], [409, 'call_sealed', 'close'])
    assert.deepEqual([body.accepted, body.duplicates], [10, 0])
    assert.equal(body.packets, 10 + Number(body.refused))
    assert.ok(await isStored('sealed', 10))
  })

  test('is told so even when its sender writes for a while before it reads', async () => {
    await sendPacket(url, 'deaf', 1)
    await seal('deaf')
    using exchange = openExchange(url)
    exchange.socket.pause()
    await exchange.write(
      'POST /v1/call/stream/deaf HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n' +
        'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    const text = lines(2, 500)
    for (let round = 0; round < 20; round += 1) {
      await exchange.write(`${text.length.toString(16)}\r\n${text}\r\n`)
      await pause(20)
    }
    exchange.socket.resume()
    const { status, body } = await exchange.answer()
    assert.deepEqual([status, JSON.parse(body).code], [409, 'call_sealed'])
  })

  test('is told so at once, though its sender pauses', async () => {
    using stream = openLines(url, 'pauses')
    await stream.write(line(1))
    await until('it is stored', () => isStored('pauses', 1))
    await seal('pauses')
    await stream.write(lines(2, 2))
    const { status, body } = await stream.answer()
    assert.deepEqual([status, body.packets, body.refused], [409, 3, 2])
  })

  test('still acknowledges repeats of what is stored', async () => {
    await sendPacket(url, 'repeats', 1)
    await seal('repeats')
    using stream = openLines(url, 'repeats')
    await stream.write(line(1))
    const { status, body } = await stream.end()
    assert.deepEqual([status, body.duplicates, body.accepted], [202, 1, 0])
  })
})

suite('a client that breaks off', () => {
  test('leaves behind what arrived, but for half a line, and it is no defect', async () => {
    using stream = openLines(url, 'broken')
    await stream.write(lines(1, 1_000) + lineOf(1_001).slice(0, -1))
    // Else the end of the connection may overtake what the gateway has not read yet.
    await until('the last whole line is stored', () => isStored('broken', 1_000))
    stream.cut()
    using again = openLines(url, 'broken')
    await again.write(lines(1, 1_001))
    const { status, body } = await again.end()
    assert.deepEqual([status, body.duplicates, body.accepted], [202, 1_000, 1])
  })

  test('at any moment loses nothing that is sent again, and doubles nothing', async () => {
    const count = 3_000
    for (let round = 0; round < 8; round += 1) {
      using stream = openLines(url, 'torn')
      await stream.write(lines(1, count).slice(0, 15_000 * round))
      await pause(round * 5)
      stream.cut()
    }
    using whole = openLines(url, 'torn')
    await whole.write(lines(1, count))
    const { status, body } = await whole.end()
    assert.deepEqual([status, body.packets], [202, count])
    assert.equal(Number(body.accepted) + Number(body.duplicates), count)
    assert.ok(await isStored('torn', count))
    assert.equal((await getCall(url, 'torn')).body.total_packets, count)
  })

  test('is no defect in the log', () => {
    const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
    assert.deepEqual(defects, [])
  })
})

test('a shutdown ends streams: what was read is stored, and the counts say where to go on', async () => {
  await using leaving = await startGateway(database.url)
  const open = ['one', 'two'].map((callId) => ({ callId, stream: openLines(leaving.url, callId) }))
  for (const { callId, stream } of open) {
    await stream.write(lines(1, 100))
    await until('they are stored', () => isStored(callId, 100))
    await stream.write(line(101))
  }
  leaving.kill('SIGTERM')
  for (const { callId, stream } of open) {
    const { status, headers, body } = await stream.answer()
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'shutting_down', '1'])
    assert.equal(body.packets, body.accepted)
    assert.ok(await isStored(callId, Number(body.accepted)))
    stream.cut()
  }
  assert.equal(await leaving.exited, 0)
})
