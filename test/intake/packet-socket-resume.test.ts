// A sender on a packet stream that is cut off again and again, and goes on behind the last ack.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../src/random.ts'
import { getCall, startGateway } from '../support/gateway.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets, packetMessage } from '../support/packet-socket.ts'
import { seededFor } from '../support/seed.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

/** What the sender says packet by packet: text or media, of a length of its own. */
function speech(sequence: number): string {
  return `${sequence} `.repeat(1 + (sequence % 40))
}

function messageOf(sequence: number, isBinary: boolean): object | Buffer {
  const data = speech(sequence)
  return isBinary
    ? frameOf({ sequence, track: 1, media: Buffer.from(data) })
    : packetMessage(sequence, { data, track: 'inbound' })
}

/** Sends packets 1 to `last` of a call as docs/streams.md asks: unacknowledged ones again, after each cut. */
async function deliver(
  urls: readonly string[],
  callId: string,
  last: number,
  random: Random,
  isBinary: boolean,
): Promise<{ cuts: number; duplicates: number }> {
  let through = 0
  let cuts = 0
  let duplicates = 0
  while (through < last) {
    const to = urls[Math.floor(random() * urls.length)] ?? url
    using client = await connectPackets(to, callId, (message) => {
      assert.equal(message.type, 'ack', JSON.stringify(message))
      through = Number(message.through)
      duplicates += Number(message.duplicates)
    })
    const cutAfterMs = random() * 250
    const sending = pause(cutAfterMs)
    let isCut = false
    void sending.then(() => {
      isCut = true
    })
    for (let sequence = through + 1; sequence <= last && !isCut; sequence += 1) {
      client.send(messageOf(sequence, isBinary))
      if (random() < 0.02) await pause(random() * 10)
    }
    await sending
    client.socket.terminate()
    await client.closed
    cuts += 1
  }
  return { cuts, duplicates }
}

async function assertWhole(callId: string, last: number): Promise<void> {
  const stored = await storedPackets(database.pool, callId)
  assert.deepEqual(
    stored.map(({ sequence, data }) => [sequence, String(data)]),
    Array.from({ length: last }, (_, index) => [index + 1, speech(index + 1)]),
  )
  const { body } = await getCall(url, callId)
  assert.deepEqual([body.total_packets, body.missing_packets], [last, ''])
}

suite('a sender that is cut off at any moment', () => {
  for (const [kind, isBinary] of [
    ['text', false],
    ['media', true],
  ] as const)
    test(`loses no ${kind} and doubles none`, async (t) => {
      const callId = `cut-${kind}`
      const { cuts } = await deliver([url], callId, 4_000, seededFor(t), isBinary)
      t.diagnostic(`${cuts} connections`)
      await assertWhole(callId, 4_000)
    })

  test('may go on at another gateway', async (t) => {
    await using other = await startGateway(database.url)
    const { cuts } = await deliver([url, other.url], 'moves', 4_000, seededFor(t), false)
    t.diagnostic(`${cuts} connections`)
    await assertWhole('moves', 4_000)
  })

  test('hears what was stored already as duplicates', async () => {
    for (const expected of [0, 300]) {
      using client = await connectPackets(url, 'told')
      for (let sequence = 1; sequence <= 300; sequence += 1) client.send(messageOf(sequence, false))
      await client.hears({ type: 'ack', through: 300, packets: 300 })
      const duplicates = client.heard.reduce((sum, ack) => sum + Number(ack.duplicates), 0)
      assert.equal(duplicates, expected)
    }
    await assertWhole('told', 300)
  })
})

test('two senders may feed one call, also with the same packets: each is stored once', async () => {
  const last = 3_000
  const [a, b] = await Promise.all([connectPackets(url, 'two'), connectPackets(url, 'two')])
  using _a = a
  using _b = b
  // One sends all that is not divisible by 3, the other all that is not even.
  const shares = [
    { client: a, isMine: (sequence: number) => sequence % 3 !== 0 },
    { client: b, isMine: (sequence: number) => sequence % 2 !== 0 || sequence % 3 === 0 },
  ]
  const sent = shares.map(() => 0)
  for (let sequence = 1; sequence <= last; sequence += 1) {
    for (const [index, { client, isMine }] of shares.entries()) {
      if (!isMine(sequence)) continue
      client.send(messageOf(sequence, false))
      sent[index] = (sent[index] ?? 0) + 1
    }
    if (sequence % 100 === 0) await pause(1)
  }
  for (const [index, { client }] of shares.entries())
    await until('all is settled', () => client.settled('two', 'inbound').packets === sent[index])
  const duplicates = shares
    .flatMap(({ client }) => client.heard)
    .reduce((sum, ack) => sum + Number(ack.duplicates), 0)
  assert.equal(duplicates, sent.reduce((sum, one) => sum + one, 0) - last)
  await assertWhole('two', last)
})

test('a shutdown acknowledges exactly what it has stored, and closes with 1012', async () => {
  await using leaving = await startGateway(database.url)
  const clients = await Promise.all(
    ['leaves-1', 'leaves-2', 'idle'].map(async (callId) => ({
      callId,
      client: await connectPackets(leaving.url, callId),
    })),
  )
  let sequence = 0
  const speaking = setInterval(() => {
    for (let packet = 0; packet < 20; packet += 1) {
      sequence += 1
      for (const { callId, client } of clients)
        if (callId !== 'idle' && client.socket.readyState === client.socket.OPEN)
          client.send(messageOf(sequence, packet % 2 === 0))
    }
  }, 1)
  await until(
    'some is acknowledged',
    () => clients[0]?.client.settled('leaves-1', 'inbound').packets,
  )
  leaving.kill('SIGTERM')
  for (const { client } of clients) assert.equal(await client.closed, 1012)
  clearInterval(speaking)
  assert.equal(await leaving.exited, 0)
  for (const { callId, client } of clients) {
    const { packets, through } = client.settled(callId, 'inbound')
    const stored = await storedPackets(database.pool, callId)
    assert.deepEqual([stored.length, stored.at(-1)?.sequence ?? -1], [packets, through])
    assert.ok(client.heard.every(({ type }) => type === 'ack'))
  }
  const defects = leaving.log.filter(({ level }) => level === 'error' || level === 'fatal')
  assert.deepEqual(defects, [])
})
