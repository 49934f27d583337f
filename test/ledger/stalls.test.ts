// A database that does not answer, or not in time, or is gone: who is told what, and when. By hand: the database,
// the clock and the timers are the test's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, type HandCommit, openByHand } from '../support/hand-commit.ts'
import { next, type Sent, send, told } from '../support/hand-packets.ts'

const refused = 'database_unavailable'
const failures: readonly Failure[] = ['data', 'lock', 'unavailable']

test('the packets of a commit that takes too long are refused, whatever the database says later', async () => {
  for (const answer of ['stored', 'locked', ...failures] as const) {
    const hand = await openUsual()
    const sent = [send(hand, 'a', 1), send(hand, 'b', 1), send(hand, 'a', 2)]
    const batch = await next(hand)
    await hand.pass(39)
    assert.deepEqual(told(sent), [undefined, undefined, undefined])
    await hand.pass(1)
    assert.deepEqual(told(sent), [refused, refused, refused])
    await hand.pass(60_000)
    const fails = answer !== 'stored' && answer !== 'locked'
    await (fails ? batch.fail(answer) : batch.answer(() => answer))
    await hand.pass(1_000)
    assert.equal(await hand.inFlight(), undefined)
    assert.equal(hand.told.length, usualCommits + 3)
  }
})

test('what waits behind such a commit is refused with it, new packets at once, until it comes back', async () => {
  const hand = await openUsual()
  const locked = send(hand, 'held', 1)
  await (await next(hand)).answer(() => 'locked')
  const stuck = send(hand, 'a', 1)
  const batch = await next(hand)
  const behind = [send(hand, 'a', 2), send(hand, 'b', 1), send(hand, 'held', 2)]
  await hand.pass(40)
  assert.deepEqual(told([locked, stuck, ...behind]), [refused, refused, refused, refused, refused])
  for (let second = 0; second < 30; second += 1) {
    await hand.pass(1_000)
    const late = send(hand, second % 2 ? 'a' : 'held', 3 + second)
    await hand.inFlight()
    assert.equal(late.told, refused)
  }
  await batch.answer()
  const after = [send(hand, 'a', 1), send(hand, 'held', 1)]
  const second = await next(hand)
  assert.equal(second.text, 'a:1 held:1')
  await second.answer()
  assert.deepEqual(told(after), ['a:1', 'held:1'])
})

test('an answer that comes in time is told, though the timer goes off in the same turn', async () => {
  const hand = await openUsual()
  const sent = send(hand, 'a', 1)
  const batch = await next(hand)
  const passed = hand.pass(40)
  await batch.answer()
  await passed
  assert.equal(sent.told, 'a:1')
  assert.equal(hand.told.length, usualCommits + 1)
})

test('a database that is slow as a rule is not refused for it', async () => {
  const hand = openByHand({ databasePatienceMs: 40 })
  for (let round = 0; round < 100; round += 1) assert.equal(await commitIn(hand, 60), 'usual:1')
})

test('a database that becomes slow is soon known to be', async () => {
  const hand = await openUsual()
  const outcomes: (string | undefined)[] = []
  for (let round = 0; round < 30; round += 1) outcomes.push(await commitIn(hand, 60))
  const last = outcomes.lastIndexOf(refused)
  assert.ok(last >= 0 && last < 5, `refused until ${last}`)
})

test('one long stall makes nobody wait longer at the next', async () => {
  for (const answer of ['stored', ...failures] as const) {
    const hand = await openUsual()
    for (let stall = 0; stall < 3; stall += 1) {
      const sent = send(hand, 'a', stall)
      const batch = await next(hand)
      // Each stall that ended well may have been the new rule: a little more is allowed.
      await hand.pass(150)
      assert.equal(sent.told, refused, `stall ${stall}, ${answer}`)
      await hand.pass(30_000)
      await (answer === 'stored' ? batch.answer() : batch.fail(answer))
      await hand.pass(1_000)
    }
  }
})

test('commits that hang and fail for an hour teach nothing: the patience stays what it was', async () => {
  const hand = await openUsual()
  for (let connect = 0; connect < 720; connect += 1) {
    const sent = send(hand, 'a', connect)
    const batch = await next(hand)
    await hand.pass(40)
    assert.equal(sent.told, refused, `${connect}`)
    await hand.pass(4_710)
    await batch.fail('unavailable')
    await hand.pass(250)
  }
})

test('while the database is gone no packet waits longer than its patience and a try', async () => {
  const hand = await openUsual()
  const waiting: { since: number; sent: Sent }[] = []
  let clock = 0
  let longest = 0
  for (; clock < 3_000; clock += 1) {
    const batch = await hand.inFlight()
    // A try takes 3 ms.
    if (batch !== undefined && clock % 3 === 0) await batch.fail('unavailable')
    waiting.push({ since: clock, sent: send(hand, `call-${clock % 5}`, clock) })
    await hand.pass(1)
    for (const { since, sent } of waiting.splice(0))
      if (sent.told === undefined) waiting.push({ since, sent })
      else longest = Math.max(longest, clock - since)
  }
  longest = Math.max(longest, ...waiting.map(({ since }) => clock - since))
  assert.ok(longest >= 35 && longest <= 50, `${longest} ms`)
})

test('each packet is refused when its own time has come, also of those that follow one another', async () => {
  const hand = await openUsual()
  send(hand, 'other', 1)
  const batch = await next(hand)
  const first = send(hand, 'a', 1)
  await hand.pass(30)
  const second = send(hand, 'a', 2)
  await hand.pass(5)
  await batch.fail('unavailable')
  assert.deepEqual(told([first, second]), [refused, undefined])
  await hand.pass(5)
  const again = await next(hand)
  assert.equal(again.text, 'a:2')
  await again.answer()
  assert.equal(second.told, 'a:2')
})

test('in a long pause packets are refused at once; shortly before the next try they wait for it', async () => {
  const hand = await openUsual()
  let pause = 5
  for (; pause <= 160; pause *= 2) {
    send(hand, 'a', pause)
    await (await next(hand)).fail('unavailable')
    if (pause < 160) await hand.pass(pause)
  }
  await hand.pass(100)
  const early = send(hand, 'a', 1)
  await hand.pass(19)
  const stillEarly = send(hand, 'b', 1)
  await hand.inFlight()
  assert.deepEqual(told([early, stillEarly]), [refused, refused])
  await hand.pass(1)
  const late = send(hand, 'a', 2)
  await hand.pass(39)
  assert.equal(await hand.inFlight(), undefined)
  await hand.pass(1)
  await (await next(hand)).answer()
  assert.equal(late.told, 'a:2')
})

test('a split batch that finds the database gone waits for it, less what was stored before', async () => {
  const hand = await openUsual()
  const sent = ['a', 'b', 'c', 'd'].map((callId) => send(hand, callId, 1))
  await (await next(hand)).fail('data')
  await (await next(hand)).fail('lock')
  await (await next(hand)).answer()
  const second = await next(hand)
  assert.equal(second.text, 'b:1')
  await second.fail('unavailable')
  assert.equal(await hand.inFlight(), undefined, 'it is not asked again at once')
  assert.deepEqual(told(sent), ['a:1', undefined, undefined, undefined])
  await hand.pass(5)
  const again = await next(hand)
  assert.equal(again.text, 'b:1 c:1 d:1')
  await again.answer()
  assert.deepEqual(told(sent), ['a:1', 'b:1', 'c:1', 'd:1'])
  assert.equal(hand.told.length, usualCommits + 4)
})

test('when the rest of a split batch hangs, only those are refused that were not told yet', async () => {
  for (const before of ['stored', 'locked'] as const) {
    const hand = await openUsual()
    const sent = ['a', 'b', 'c', 'd'].map((callId) => send(hand, callId, 1))
    await (await next(hand)).fail('data')
    const first = await next(hand)
    await first.answer(() => before)
    const rest = await next(hand)
    await hand.pass(40)
    const early = before === 'stored' ? ['a:1', 'b:1'] : [refused, refused]
    assert.deepEqual(told(sent), [...early, refused, refused], before)
    await rest.answer()
    await hand.pass(1_000)
    assert.equal(await hand.inFlight(), undefined, before)
    assert.equal(hand.told.length, usualCommits + 4, before)
  }
})

test('a call that is locked after a long wait for the database has the patience of a locked call', async () => {
  const hand = openByHand({ lockPatienceMs: 5_000 })
  const sent = send(hand, 'held', 1)
  const batch = await next(hand)
  await hand.pass(34_000)
  await batch.fail('unavailable')
  await hand.pass(5)
  await (await next(hand)).answer(() => 'locked')
  assert.equal(sent.told, undefined)
  await hand.pass(5)
  await (await next(hand)).answer()
  assert.equal(sent.told, 'held:1')
})

test('a call whose packets were refused for its lock starts afresh', async () => {
  const hand = openByHand({ lockPatienceMs: 100 })
  const first = send(hand, 'held', 1)
  await (await next(hand)).answer(() => 'locked')
  await hand.pass(100)
  await (await next(hand)).answer(() => 'locked')
  assert.equal(first.told, 'call_locked')
  const second = send(hand, 'held', 2)
  const batch = await next(hand)
  await hand.pass(10_000)
  await batch.answer(() => 'locked')
  await hand.pass(5)
  await (await next(hand)).answer()
  assert.equal(second.told, 'held:2')
})

test('a close ends with a stall, before it and in it', async () => {
  for (const closesFirst of [true, false]) {
    const hand = await openUsual()
    const sent = send(hand, 'a', 1)
    const batch = await next(hand)
    if (!closesFirst) await hand.pass(40)
    let closed = false
    const close = hand.commits.close().then(() => {
      closed = true
    })
    await hand.pass(40)
    assert.deepEqual([sent.told, closed], [refused, true])
    await batch.answer()
    await close
    assert.equal(hand.told.length, usualCommits + 1)
  }
})

const usualCommits = 60

/** A group commit with the patience of POSTs, in front of a database that answers in 1 ms. */
async function openUsual(): Promise<HandCommit> {
  const hand = openByHand({ databasePatienceMs: 40, maxPackets: 100 })
  for (let round = 0; round < usualCommits; round += 1) await commitIn(hand, 1)
  return hand
}

/** One commit that takes so long; what its sender was told. */
async function commitIn(hand: HandCommit, milliseconds: number): Promise<string | undefined> {
  const sent = send(hand, 'usual', 1)
  const batch = await next(hand)
  await hand.pass(milliseconds)
  await batch.answer()
  return sent.told
}
