// What the batcher does with calls that are locked by another session, and while the database is away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GatewayError } from '../../src/errors.ts'
import { trackNames } from '../../src/ledger/packet.ts'
import { type PacketGroup, sequencesOf } from '../../src/ledger/packet-group.ts'
import type { Random } from '../../src/random.ts'
import { packetOf } from '../support/calls.ts'
import { type Failure, type HandCommit, openByHand } from '../support/hand-commit.ts'
import { seededFor } from '../support/seed.ts'

const held = ({ callId }: { callId: string }) => (callId === 'held' ? 'locked' : 'stored')

test('a locked call is set aside and delays no other', async () => {
  const hand = openByHand()
  const locked = send(hand, 'held', 1)
  const others = [send(hand, 'a', 1), send(hand, 'b', 1)]
  await (await next(hand)).answer(held)
  assert.deepEqual(await Promise.all(others), ['a:1', 'b:1'])
  const later = send(hand, 'a', 2)
  const second = await next(hand)
  assert.equal(second.text, 'a:2')
  await second.answer()
  assert.equal(await later, 'a:2')
  await hand.pass(5)
  await (await next(hand)).answer()
  assert.equal(await locked, 'held:1')
})

test('a locked call is tried again after growing pauses, with the packets that came since behind', async () => {
  const hand = openByHand()
  const stored = [send(hand, 'held', 1)]
  let sequence = 1
  for (const pause of [5, 10, 20, 40, 80, 160, 250, 250]) {
    await (await next(hand)).answer(held)
    sequence += 1
    stored.push(send(hand, 'held', sequence))
    await hand.pass(pause - 1)
    assert.equal(await hand.inFlight(), undefined, `tried before ${pause} ms`)
    await hand.pass(1)
  }
  const last = await next(hand)
  assert.equal(last.text, 'held:1,2,3,4,5,6,7,8,9')
  await last.answer()
  await Promise.all(stored)
})

test('a call that was locked starts with short pauses the next time', async () => {
  const hand = openByHand()
  for (let round = 0; round < 2; round += 1) {
    const stored = send(hand, 'held', round)
    for (const pause of [5, 10, 20]) {
      await (await next(hand)).answer(held)
      await hand.pass(pause)
    }
    await (await next(hand)).answer()
    await stored
  }
})

test('the packets of a locked call that do not fit into one batch stay in order', async () => {
  const hand = openByHand({ maxBatchPackets: 2 })
  const stored = [1, 2, 3, 4, 5].map((sequence) => send(hand, 'held', sequence))
  await (await next(hand)).answer(held)
  stored.push(send(hand, 'held', 6))
  await hand.pass(5)
  stored.push(send(hand, 'held', 7))
  const taken: string[] = []
  for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight()) {
    taken.push(batch.text)
    stored.push(...(taken.length === 1 ? [send(hand, 'held', 8)] : []))
    await batch.answer()
  }
  assert.deepEqual(taken, ['held:1,2', 'held:3,4', 'held:5,6', 'held:7,8'])
  await Promise.all(stored)
})

test('a call that is locked for too long is refused, and the next packet is taken as ever', async () => {
  const hand = openByHand({ lockPatienceMs: 300 })
  const early = codeOf(send(hand, 'held', 1))
  await (await next(hand)).answer(held)
  await hand.pass(200)
  const late = codeOf(send(hand, 'held', 2))
  await (await next(hand)).answer(held)
  await hand.pass(150)
  const third = await next(hand)
  assert.equal(third.text, 'held:1,2')
  await third.answer(held)
  assert.equal(await early, 'call_locked')
  await hand.pass(250)
  const fourth = await next(hand)
  assert.equal(fourth.text, 'held:2')
  await fourth.answer()
  assert.equal(await late, 'held:2')
})

test('a lock that cost a whole batch its time is looked for, and only its call is set aside', async () => {
  const hand = openByHand()
  const stored = ['a', 'b', 'held', 'c'].map((callId) => send(hand, callId, 1))
  for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight()) {
    const waits = batch.groups.some(({ callId }) => callId === 'held')
    await (waits ? batch.fail('lock') : batch.answer())
  }
  await hand.pass(5)
  const batch = await next(hand)
  assert.equal(batch.text, 'held:1')
  await batch.answer()
  assert.deepEqual(await Promise.all(stored), ['a:1', 'b:1', 'held:1', 'c:1'])
})

test('a database that comes back in time has lost nobody a packet', async () => {
  const hand = openByHand()
  const stored = [send(hand, 'a', 1), send(hand, 'b', 1)]
  for (const pause of [5, 10, 20, 40]) {
    await (await next(hand)).fail('unavailable')
    assert.equal(await hand.inFlight(), undefined, 'it is not asked again at once')
    stored.push(send(hand, 'a', pause))
    await hand.pass(pause)
  }
  for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight())
    await batch.answer()
  assert.deepEqual(await Promise.all(stored), ['a:1', 'b:1', 'a:5', 'a:10', 'a:20', 'a:40'])
})

test('a database that stays away refuses packets, and does not say that they are not stored', async () => {
  const hand = openByHand({ databasePatienceMs: 100 })
  const stored = [codeOf(send(hand, 'a', 1)), codeOf(send(hand, 'b', 1))]
  for (let tries = 0; tries < 10; tries += 1) {
    await (await hand.inFlight())?.fail('unavailable')
    await hand.pass(250)
  }
  assert.deepEqual(await Promise.all(stored), ['database_unavailable', 'database_unavailable'])
  assert.equal(hand.timers(), 0)
})

test('at the close a parked call gets one more try', async () => {
  for (const outcome of ['stored', 'locked'] as const) {
    const hand = openByHand()
    const stored = codeOf(send(hand, 'held', 1))
    await (await next(hand)).answer(held)
    const close = hand.commits.close()
    await (await next(hand)).answer(() => outcome)
    await close
    assert.equal(await stored, outcome === 'stored' ? 'held:1' : 'call_locked')
  }
})

test('a close while the database is away ends at the next failure', async () => {
  const hand = openByHand()
  const stored = ['a', 'b'].map((callId) => codeOf(send(hand, callId, 1)))
  const batch = await next(hand)
  const close = hand.commits.close()
  await batch.fail('unavailable')
  await close
  assert.deepEqual(await Promise.all(stored), ['database_unavailable', 'database_unavailable'])
})

test('whatever fails and whenever: each packet is settled once, and those of a track in order', async (t) => {
  const random = seededFor(t)
  let lockedGroups = 0
  for (let round = 0; round < 300; round += 1) {
    const hand = openByHand({ maxBatchPackets: 1 + Math.floor(random() * 6), lockPatienceMs: 1e9 })
    const order = new Map<string, number[]>()
    const sent: Promise<string>[] = []
    let sequence = 0
    for (let step = 0; step < 12; step += 1) {
      for (let count = Math.floor(random() * 6); count > 0; count -= 1) {
        sequence += 1
        const track = trackNames[Math.floor(random() * 2)] ?? 'mixed'
        const callId = `call-${Math.floor(random() * 3)}`
        sent.push(codeOf(hand.commits.store(packetOf(callId, sequence, { track }))))
      }
      lockedGroups += await answerByChance(hand, random, order)
      await hand.pass(Math.floor(random() * 12))
    }
    const close = hand.commits.close()
    for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight()) {
      remember(order, batch.groups)
      await batch.answer()
    }
    await close
    const told = await Promise.all(sent)
    const refused = told.filter((one) => one === 'internal').length
    const stored = [...order.values()].flat()
    assert.equal(new Set(stored).size, stored.length, `round ${round}: stored twice`)
    assert.equal(stored.length + refused, sequence, `round ${round}: lost`)
    for (const [track, sequences] of order)
      assert.deepEqual(
        sequences,
        sequences.toSorted((a, b) => a - b),
        `round ${round}: ${track}`,
      )
  }
  t.diagnostic(`${lockedGroups} groups were locked`)
  assert.ok(lockedGroups > 1_000)
})

/** Answers the batch in flight: some groups locked, or all of it failed. Returns how many were locked. */
async function answerByChance(
  hand: HandCommit,
  random: Random,
  order: Map<string, number[]>,
): Promise<number> {
  const batch = await hand.inFlight()
  if (batch === undefined) return 0
  const failures: readonly Failure[] = ['lock', 'unavailable', 'unavailable']
  const failure = failures[Math.floor(random() * 12)]
  // A single group that fails for its data is refused: rare, so that most of an order is seen.
  if (failure !== undefined) await batch.fail(random() < 0.05 ? 'data' : failure)
  else {
    const locked = new Set(batch.groups.filter(() => random() < 0.4))
    remember(
      order,
      batch.groups.filter((group) => !locked.has(group)),
    )
    await batch.answer((group) => (locked.has(group) ? 'locked' : 'stored'))
    return locked.size
  }
  return 0
}

function remember(order: Map<string, number[]>, groups: readonly PacketGroup[]): void {
  for (const group of groups) {
    const key = `${group.callId} ${group.track}`
    order.set(key, [...(order.get(key) ?? []), ...sequencesOf(group)])
  }
}

function send(hand: HandCommit, callId: string, sequence: number): Promise<string> {
  return hand.commits.store(packetOf(callId, sequence))
}

function codeOf(stored: Promise<string>): Promise<string> {
  return stored.catch((error: GatewayError) => error.code)
}

async function next(hand: HandCommit) {
  const batch = await hand.inFlight()
  assert.ok(batch, 'no batch is in flight')
  return batch
}
