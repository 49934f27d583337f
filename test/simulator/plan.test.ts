import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../src/random.ts'
import { type CallPlan, type NetworkOptions, planCall } from '../../src/simulator/plan.ts'

const packetSeconds = 0.02
const share = fc.double({ min: 0, max: 1, noNaN: true })
const options = fc.record<NetworkOptions>({
  loss: share,
  reorder: share,
  duplicates: share,
  jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
})
const cases = fc.record({
  count: fc.integer({ min: 1, max: 300 }),
  options,
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})
type Case = { count: number; options: NetworkOptions; seed: number }

function check(property: (plan: CallPlan, drawn: Case) => void): void {
  fc.assert(
    fc.property(cases, (drawn) =>
      property(planCall(drawn.count, drawn.options, seededRandom(drawn.seed)), drawn),
    ),
    { numRuns: 1000 },
  )
}

test('what is dropped is never sent, and everything else is, from 1 to the last', () => {
  check((plan, { count }) => {
    const sent = new Set(plan.packets.map(({ sequence }) => sequence))
    const dropped = new Set(plan.dropped)
    for (let sequence = 1; sequence <= count; sequence += 1)
      assert.notEqual(sent.has(sequence), dropped.has(sequence))
    assert.equal(sent.size + dropped.size, count)
    assert.equal(plan.sent, sent.size)
  })
})

test('exactly the duplicated packets are sent twice', () => {
  check(({ packets, duplicated }) => {
    const times = new Map<number, number>()
    for (const { sequence } of packets) times.set(sequence, (times.get(sequence) ?? 0) + 1)
    const twice = [...times].filter(([, count]) => count > 1)
    assert.ok(twice.every(([, count]) => count === 2))
    const sequences = twice.map(([sequence]) => sequence).sort((one, other) => one - other)
    assert.deepEqual(sequences, duplicated)
  })
})

test('missing is what is dropped below the highest sequence that is sent', () => {
  check(({ packets, dropped, missing }) => {
    const highest = Math.max(...packets.map(({ sequence }) => sequence))
    assert.deepEqual(
      missing,
      dropped.filter((sequence) => sequence < highest),
    )
  })
})

test('packets are planned in order of time, each at most jitter and five packet times late', () => {
  check(({ packets }, { options: { jitter } }) => {
    let before = 0
    const firstTime = new Map<number, number>()
    for (const { sequence, at } of packets) {
      assert.ok(at >= before)
      before = at
      if (!firstTime.has(sequence)) firstTime.set(sequence, at)
    }
    for (const [sequence, at] of firstTime) {
      const lateness = at - (sequence - 1) * packetSeconds
      assert.ok(lateness > -1e-9 && lateness <= jitter + 5 * packetSeconds + 1e-9)
    }
  })
})

test('the same seed gives the same plan', () => {
  check((plan, { count, options, seed }) => {
    assert.deepEqual(planCall(count, options, seededRandom(seed)), plan)
  })
})

test('the loss drawn does not depend on the other options', () => {
  check((plan, { count, options, seed }) => {
    const calm = { ...options, reorder: 0, duplicates: 0, jitter: 0 }
    assert.deepEqual(planCall(count, calm, seededRandom(seed)).dropped, plan.dropped)
  })
})

test('a perfect network sends every packet once, every 20 ms', () => {
  const perfect = { loss: 0, reorder: 0, duplicates: 0, jitter: 0 }
  const { packets, ...rest } = planCall(3, perfect, seededRandom(1))
  assert.deepEqual(packets, [
    { sequence: 1, at: 0 },
    { sequence: 2, at: 0.02 },
    { sequence: 3, at: 0.04 },
  ])
  assert.deepEqual(rest, { sent: 3, dropped: [], duplicated: [], missing: [] })
})

test('the shares come true over a long call', () => {
  const shares = { loss: 0.02, reorder: 0.05, duplicates: 0.01, jitter: 0.01 }
  const { dropped, duplicated } = planCall(100_000, shares, seededRandom(7))
  assert.ok(Math.abs(dropped.length - 2000) < 200)
  assert.ok(Math.abs(duplicated.length - 980) < 150)
})

test('a call is never lost entirely', () => {
  const nothing = { loss: 1, reorder: 0, duplicates: 0, jitter: 0 }
  const plan = planCall(5, nothing, seededRandom(1))
  assert.deepEqual(plan.packets, [{ sequence: 1, at: 0 }])
  assert.deepEqual(plan.dropped, [2, 3, 4, 5])
  assert.deepEqual(plan.missing, [])
})
