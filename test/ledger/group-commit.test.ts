// The policy of the batcher alone: its database, clock and timers are the test's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../src/byte-range.ts'
import type { GatewayError } from '../../src/errors.ts'
import { type PacketChange, packetOf, packetsOf } from '../support/calls.ts'
import { type HandCommit, openByHand } from '../support/hand-commit.ts'

test('a packet that comes alone is committed at once, without a timer', async () => {
  const hand = openByHand()
  const stored = send(hand, 'a', 1)
  const batch = await next(hand)
  assert.equal(batch.text, 'a:1')
  assert.equal(hand.timers(), 0)
  await batch.answer()
  assert.equal(await stored, 'a:1')
  assert.equal(await hand.inFlight(), undefined)
})

test('packets that come in one turn go together, grouped by call, in the order of arrival', async () => {
  const hand = openByHand()
  const stored = [send(hand, 'a', 2), send(hand, 'b', 1), send(hand, 'a', 1), send(hand, 'a', 2)]
  const batch = await next(hand)
  assert.equal(batch.text, 'a:2,1,2 b:1')
  await batch.answer()
  assert.deepEqual(await Promise.all(stored), ['a:2', 'b:1', 'a:1', 'a:2'])
})

test('a payload is copied when it is handed in: the memory of its connection may be used again', async () => {
  const hand = openByHand()
  const payload = Buffer.from('audio')
  const stored = send(hand, 'a', 1, { payload })
  payload.fill(0)
  const batch = await next(hand)
  assert.deepEqual(
    batch.groups.flatMap(packetsOf).map((packet) => `${bytesOf(packet)}`),
    ['audio'],
  )
  await batch.answer()
  assert.equal(await stored, 'a:1')
})

test('payloads of tracks that take turns are not mixed up, wherever in memory they come to be', async () => {
  const hand = openByHand({ maxBytes: 2 ** 20, maxBatchBytes: 2 ** 20 })
  const sent: string[] = []
  const sendFull = (callId: string, sequence: number, size: number) => {
    sent.push(`${callId}:${sequence} ${size}`)
    const payload = Buffer.alloc(size, `${callId}${sequence}`)
    void send(hand, callId, sequence, { payload })
  }
  // Of one size, one beside the other; then such that a payload begins in another piece where its track ended in one.
  for (const [callId, sequence] of [
    ['a', 1],
    ['b', 1],
    ['a', 2],
    ['b', 2],
  ] as const)
    sendFull(callId, sequence, 160)
  const used = 4 * 160
  sendFull('c', 1, 30_000 - used)
  sendFull('d', 1, 10_000)
  sendFull('e', 1, 40_000)
  sendFull('d', 2, 10_000)
  const batch = await next(hand)
  const found = batch.groups.flatMap(packetsOf).map((packet) => {
    const { callId, sequence } = packet
    const payload = bytesOf(packet)
    assert.ok(payload.equals(Buffer.alloc(payload.length, `${callId}${sequence}`)), callId)
    return `${callId}:${sequence} ${payload.length}`
  })
  assert.deepEqual(found.toSorted(), sent.toSorted())
  await batch.answer()
})

test('memory of payloads that are settled is used for others, stored or refused', async () => {
  const hand = openByHand({ maxBytes: 2 ** 20, maxBatchBytes: 2 ** 20 })
  const pieces = new Set<Buffer>()
  const payload = Buffer.alloc(20_000)
  for (let turn = 0; turn < 50; turn += 1) {
    const stored = [1, 2, 3, 4].map((nth) => codeOf(send(hand, 'a', 4 * turn + nth, { payload })))
    const batch = await next(hand)
    for (const { memory } of batch.groups.flatMap(packetsOf)) pieces.add(memory)
    await (turn % 2 === 0 ? batch.answer() : batch.fail('data'))
    await Promise.all(stored)
  }
  assert.ok(pieces.size <= 4, `${pieces.size} pieces`)
})

test('packets that come while a batch is in flight go together in the next', async () => {
  const hand = openByHand()
  const first = send(hand, 'a', 1)
  const batch = await next(hand)
  const others = [send(hand, 'a', 2), send(hand, 'b', 1)]
  assert.equal(await hand.inFlight(), batch)
  others.push(send(hand, 'c', 1))
  await batch.answer()
  assert.equal(await first, 'a:1')
  const second = await next(hand)
  assert.equal(second.text, 'a:2 b:1 c:1')
  await second.answer()
  assert.deepEqual(await Promise.all(others), ['a:2', 'b:1', 'c:1'])
})

test('no packet is told that it is stored before the commit that holds it', async () => {
  const hand = openByHand()
  let told = false
  const stored = send(hand, 'a', 1).finally(() => {
    told = true
  })
  const batch = await next(hand)
  await hand.pass(60_000)
  assert.equal(told, false)
  await batch.answer()
  await stored
})

test('the tracks of a call are groups of their own', async () => {
  const hand = openByHand()
  const tracks = ['inbound', 'outbound', 'inbound'] as const
  const stored = tracks.map((track, index) => hand.commits.store(packetOf('a', index, { track })))
  const batch = await next(hand)
  assert.equal(batch.text, 'a:0,2 a:1')
  await batch.answer()
  await Promise.all(stored)
})

test('a track that changes its encoding is cut there, and its order is kept', async () => {
  const hand = openByHand()
  const stored = [
    hand.commits.store(packetOf('a', 1)),
    hand.commits.store(packetOf('a', 2, { encoding: 'binary' })),
    hand.commits.store(packetOf('a', 3)),
  ]
  for (const expected of ['a:1', 'a:2', 'a:3']) {
    const batch = await next(hand)
    assert.equal(batch.text, expected)
    await batch.answer()
  }
  await Promise.all(stored)
})

test('a batch holds so many packets and no more', async () => {
  const hand = openByHand({ maxBatchPackets: 2 })
  const stored = [1, 2, 3, 4, 5].map((sequence) => send(hand, 'a', sequence))
  for (const expected of ['a:1,2', 'a:3,4', 'a:5']) {
    const batch = await next(hand)
    assert.equal(batch.text, expected)
    await batch.answer()
  }
  await Promise.all(stored)
})

test('a batch ends with the packet that reaches its limit of bytes, and a larger one goes alone', async () => {
  const hand = openByHand({ maxBatchBytes: 100 })
  const stored = [60, 60, 60, 300, 10].map((bytes, index) =>
    hand.commits.store(packetOf('a', index, { payload: Buffer.alloc(bytes) })),
  )
  for (const expected of ['a:0,1', 'a:2,3', 'a:4']) {
    const batch = await next(hand)
    assert.equal(batch.text, expected)
    await batch.answer()
  }
  await Promise.all(stored)
})

test('over the limit of packets it refuses, and takes packets again when some are settled', async () => {
  const hand = openByHand({ maxPackets: 2 })
  const stored = [send(hand, 'a', 1), send(hand, 'b', 1)]
  await assert.rejects(send(hand, 'c', 1), { code: 'overloaded', status: 503, retryable: true })
  const batch = await next(hand)
  await assert.rejects(send(hand, 'c', 1), { code: 'overloaded' })
  await batch.answer()
  await Promise.all(stored)
  const later = send(hand, 'c', 1)
  await (await next(hand)).answer()
  assert.equal(await later, 'c:1')
})

test('over the limit of bytes it refuses, and takes packets again when some are settled', async () => {
  const hand = openByHand({ maxBytes: 1_000 })
  const big = (sequence: number) =>
    hand.commits.store(packetOf('a', sequence, { payload: Buffer.alloc(600) }))
  const stored = big(1)
  await assert.rejects(big(2), { code: 'overloaded' })
  await (await next(hand)).answer()
  await stored
  const later = big(2)
  await (await next(hand)).answer()
  await later
})

test('refused packets give their room back as well', async () => {
  const hand = openByHand({ maxPackets: 1 })
  for (let round = 0; round < 3; round += 1) {
    const poison = codeOf(send(hand, 'a', 1))
    await (await next(hand)).fail('data')
    assert.equal(await poison, 'internal')
  }
})

test('a batch that fails is split until the culprit stands alone', async () => {
  const hand = openByHand()
  const calls = Array.from({ length: 16 }, (_, index) => `call-${index}`)
  const stored = calls.map((callId) => codeOf(send(hand, callId, 1)))
  const sizes: number[] = []
  for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight()) {
    sizes.push(batch.groups.length)
    const poisoned = batch.groups.some(({ callId }) => callId === 'call-11')
    await (poisoned ? batch.fail('data') : batch.answer())
  }
  assert.deepEqual(
    await Promise.all(stored),
    calls.map((callId) => (callId === 'call-11' ? 'internal' : `${callId}:1`)),
  )
  assert.deepEqual(sizes, [16, 8, 8, 4, 2, 2, 1, 1, 4])
})

test('the cause of a refusal is kept for the log, and is not its message', async () => {
  const hand = openByHand()
  const stored = send(hand, 'a', 1).catch((error: GatewayError) => error)
  await (await next(hand)).fail('data')
  const error = (await stored) as GatewayError
  assert.equal(error.cause, 'data')
  assert.equal(error.message, 'The packet could not be stored')
})

test('a commit that forgets a group does not leave its packets waiting for ever', async () => {
  const hand = openByHand({ lockPatienceMs: 100 })
  const stored = codeOf(send(hand, 'a', 1))
  for (let tries = 0; tries < 20; tries += 1) {
    const batch = await hand.inFlight()
    await batch?.answer(() => 'locked')
    await hand.pass(50)
  }
  assert.equal(await stored, 'call_locked')
})

test('at the close what is under way is settled, and new packets are refused', async () => {
  const hand = openByHand()
  const stored = send(hand, 'a', 1)
  const batch = await next(hand)
  const waiting = send(hand, 'b', 1)
  let closed = false
  const close = hand.commits.close().then(() => {
    closed = true
  })
  await assert.rejects(send(hand, 'c', 1), { code: 'shutting_down', retryable: true })
  assert.equal(closed, false)
  await batch.answer()
  await (await next(hand)).answer()
  await close
  assert.deepEqual(await Promise.all([stored, waiting]), ['a:1', 'b:1'])
})

test('a group commit that has nothing to do closes at once, and may be closed again', async () => {
  const hand = openByHand()
  await hand.commits.close()
  await hand.commits.close()
})

test('closing twice while packets are under way ends both', async () => {
  const hand = openByHand()
  const stored = send(hand, 'a', 1)
  const closes = Promise.all([hand.commits.close(), hand.commits.close()])
  await (await next(hand)).answer()
  await closes
  assert.equal(await stored, 'a:1')
})

function send(
  hand: HandCommit,
  callId: string,
  sequence: number,
  change: PacketChange = {},
): Promise<string> {
  return hand.commits.store(packetOf(callId, sequence, change))
}

/** The receipt, or the code of the refusal. */
function codeOf(stored: Promise<string>): Promise<string> {
  return stored.catch((error: GatewayError) => error.code)
}

async function next(hand: HandCommit) {
  const batch = await hand.inFlight()
  assert.ok(batch, 'no batch is in flight')
  return batch
}
