// Packets of streams wait a little for company, so that those of a call share a row; their lane is never closed to
// them, it only says when it is full. By hand: the database, the clock and the timers are the test's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupCommitLimits } from '../../src/ledger/group-commit.ts'
import { type HandCommit, openByHand } from '../support/hand-commit.ts'
import { next, send, told } from '../support/hand-packets.ts'

test('packets wait for company, at most so long, and go together', async () => {
  const hand = openLane()
  const sent = [send(hand, 'a', 1)]
  await hand.pass(30)
  sent.push(send(hand, 'b', 1))
  await hand.pass(49)
  sent.push(send(hand, 'a', 2))
  assert.equal(await hand.inFlight(), undefined)
  await hand.pass(1)
  const batch = await next(hand)
  assert.equal(batch.text, 'a:1,2 b:1')
  await batch.answer()
  assert.deepEqual(told(sent), ['a:1', 'b:1', 'a:2'])
})

test('a thousand packets that wait together set one timer', async () => {
  const hand = openLane({ maxBatchPackets: 1_001 })
  for (let sequence = 1; sequence <= 1_000; sequence += 1) send(hand, `${sequence % 7}`, sequence)
  await hand.inFlight()
  assert.equal(hand.timers(), 1)
})

test('a full batch goes at once, in packets or in bytes', async () => {
  const byPackets = openLane({ maxBatchPackets: 3 })
  send(byPackets, 'a', 1)
  send(byPackets, 'a', 2)
  assert.equal(await byPackets.inFlight(), undefined)
  send(byPackets, 'b', 1)
  assert.equal((await next(byPackets)).text, 'a:1,2 b:1')

  const byBytes = openLane({ maxBatchBytes: 2_000 })
  send(byBytes, 'a', 1, { payload: Buffer.alloc(700) })
  assert.equal(await byBytes.inFlight(), undefined)
  send(byBytes, 'a', 2, { payload: Buffer.alloc(2_000) })
  assert.equal((await next(byBytes)).text, 'a:1,2')
})

test('what a full batch leaves behind does not wait anew', async () => {
  const hand = openLane({ maxBatchPackets: 3 })
  send(hand, 'a', 1)
  await hand.pass(80)
  const first = await next(hand)
  for (let sequence = 2; sequence <= 6; sequence += 1) send(hand, 'a', sequence)
  await hand.pass(60)
  await first.answer()
  const full = await next(hand)
  assert.equal(full.text, 'a:2,3,4')
  await full.answer()
  await hand.pass(19)
  assert.equal(await hand.inFlight(), undefined)
  await hand.pass(1)
  assert.equal((await next(hand)).text, 'a:5,6')
})

test('packets that come while a batch is in flight have their own time', async () => {
  const hand = openLane()
  send(hand, 'a', 1)
  await hand.pass(80)
  const first = await next(hand)
  await hand.pass(20)
  const sent = [send(hand, 'a', 2)]
  await hand.pass(30)
  await first.answer()
  await hand.pass(49)
  sent.push(send(hand, 'b', 1))
  assert.equal(await hand.inFlight(), undefined)
  await hand.pass(1)
  const second = await next(hand)
  assert.equal(second.text, 'a:2 b:1')
  await second.answer()
  assert.deepEqual(told(sent), ['a:2', 'b:1'])
})

test('packets whose time ran out while a batch was in flight go when it is answered', async () => {
  const hand = openLane()
  send(hand, 'a', 1)
  await hand.pass(80)
  const first = await next(hand)
  send(hand, 'a', 2)
  await hand.pass(300)
  send(hand, 'a', 3)
  assert.equal(await hand.inFlight(), first)
  await first.answer()
  assert.equal((await next(hand)).text, 'a:2,3')
})

test('the timer of packets that have gone does not send later ones before their time', async () => {
  const hand = openLane({ maxBatchPackets: 2 })
  send(hand, 'a', 1)
  await hand.pass(10)
  send(hand, 'a', 2)
  await (await next(hand)).answer()
  await hand.pass(40)
  send(hand, 'a', 3)
  await hand.pass(79)
  assert.equal(await hand.inFlight(), undefined)
  await hand.pass(1)
  assert.equal((await next(hand)).text, 'a:3')
})

test('at the close nothing waits for company', async () => {
  const hand = openLane()
  const sent = [send(hand, 'a', 1), send(hand, 'b', 1)]
  assert.equal(await hand.inFlight(), undefined)
  const close = hand.commits.close()
  const first = await next(hand)
  assert.equal(first.text, 'a:1 b:1')
  const late = send(hand, 'a', 2)
  await first.answer()
  await close
  assert.deepEqual(told([...sent, late]), ['a:1', 'b:1', 'shutting_down'])
})

test('at the close packets behind a batch in flight follow it at once', async () => {
  const hand = openLane()
  send(hand, 'a', 1)
  await hand.pass(80)
  const first = await next(hand)
  const behind = send(hand, 'a', 2)
  const close = hand.commits.close()
  await first.answer()
  await (await next(hand)).answer()
  await close
  assert.equal(behind.told, 'a:2')
})

test('a full lane says so and takes packets all the same, until there is room again', async () => {
  for (const [limits, bytes] of [
    [{ maxPackets: 4 }, 10],
    [{ maxBytes: 4 * (256 + 1_000) }, 1_000],
  ] as const) {
    const hand = openLane({ ...limits, maxBatchPackets: 3 })
    const payload = Buffer.alloc(bytes)
    const sent = [1, 2, 3].map((sequence) => send(hand, 'a', sequence, { payload }))
    assert.equal(hand.commits.isFull(), false)
    for (let sequence = 4; sequence <= 9; sequence += 1) {
      sent.push(send(hand, 'a', sequence, { payload }))
      assert.equal(hand.commits.isFull(), true)
    }
    await (await next(hand)).answer()
    assert.equal(hand.commits.isFull(), true)
    await (await next(hand)).answer()
    assert.equal(hand.commits.isFull(), false)
    await hand.pass(80)
    await (await next(hand)).answer()
    assert.deepEqual(
      told(sent),
      sent.map((_, index) => `a:${index + 1}`),
    )
  }
})

test('while the database is gone or hangs for hours a lane takes packets and refuses none', async () => {
  const hand = openLane({ maxPackets: 100 })
  const sent = Array.from({ length: 300 }, (_, index) => send(hand, `${index % 3}`, index))
  for (let hour = 0; hour < 3; hour += 1) {
    const batch = await next(hand)
    await hand.pass(3_600_000)
    sent.push(send(hand, '0', sent.length))
    await batch.fail('unavailable')
    await hand.pass(250)
  }
  for (let batch = await hand.inFlight(); batch !== undefined; batch = await hand.inFlight()) {
    await batch.answer()
    await hand.pass(80)
  }
  assert.deepEqual(
    told(sent),
    sent.map((_, index) => `${index < 300 ? index % 3 : 0}:${index}`),
  )
})

/** A lane for packets of streams. */
function openLane(limits: Partial<GroupCommitLimits> = {}): HandCommit {
  return openByHand({ refusesWhenFull: false, lingerMs: 80, ...limits })
}
