import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Pulse, startPulse } from '../src/pulse.ts'

const everyMs = 1_000

/** A pulse whose runs end when the test says so, and whose timers go off when the test says so. */
type HandPulse = {
  readonly pulse: Pulse
  /** How many runs have begun. */
  readonly runs: () => number
  /** Ends the current run; it may say when its next step is due, or fail. */
  readonly end: (next?: number | Error) => Promise<void>
  readonly pass: (milliseconds: number) => void
  readonly errors: unknown[]
}

function startByHand(t: TestContext, restMs?: () => number): HandPulse {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const errors: unknown[] = []
  let runs = 0
  let current: PromiseWithResolvers<number | undefined> | undefined
  const pulse = startPulse({
    everyMs,
    ...(restMs === undefined ? {} : { restMs }),
    onError: (error) => errors.push(error),
    run: () => {
      assert.equal(current, undefined, 'two runs at once')
      runs += 1
      current = Promise.withResolvers()
      return current.promise
    },
  })
  return {
    pulse,
    runs: () => runs,
    end: async (next) => {
      const ending = current
      assert.ok(ending, 'nothing runs')
      current = undefined
      if (next instanceof Error) ending.reject(next)
      else ending.resolve(next)
      await turn()
    },
    pass: (milliseconds) => t.mock.timers.tick(milliseconds),
    errors,
  }
}

/** Lets what was resolved go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('the first run is at once, and the next after the longest pause', async (t) => {
  const hand = startByHand(t)
  assert.equal(hand.runs(), 1)
  await hand.end()
  hand.pass(everyMs - 1)
  assert.equal(hand.runs(), 1)
  hand.pass(1)
  assert.equal(hand.runs(), 2)
})

test('woken while it pauses, it runs at once and starts its pause anew', async (t) => {
  const hand = startByHand(t)
  await hand.end()
  hand.pass(900)
  hand.pulse.wake()
  assert.equal(hand.runs(), 2)
  await hand.end()
  hand.pass(900)
  assert.equal(hand.runs(), 2)
  hand.pass(100)
  assert.equal(hand.runs(), 3)
})

test('woken many times while it runs, it runs once more after, and never twice at once', async (t) => {
  const hand = startByHand(t)
  for (let times = 0; times < 5; times += 1) hand.pulse.wake()
  assert.equal(hand.runs(), 1)
  await hand.end()
  assert.equal(hand.runs(), 2)
  await hand.end()
  assert.equal(hand.runs(), 2)
})

test('a run that says when its next step is due is followed by a run then', async (t) => {
  const hand = startByHand(t)
  await hand.end(40)
  hand.pass(39)
  assert.equal(hand.runs(), 1)
  hand.pass(1)
  assert.equal(hand.runs(), 2)
  await hand.end(0)
  hand.pass(1)
  assert.equal(hand.runs(), 3)
})

test('whatever a run or a caller says, no pause is longer than the longest', async (t) => {
  const hand = startByHand(t)
  await hand.end(everyMs * 100)
  hand.pulse.wakeIn(everyMs * 50)
  hand.pass(everyMs)
  assert.equal(hand.runs(), 2)
})

test('of several times to wake the earliest counts', async (t) => {
  const hand = startByHand(t)
  await hand.end()
  hand.pulse.wakeIn(500)
  hand.pulse.wakeIn(50)
  hand.pulse.wakeIn(200)
  hand.pass(50)
  assert.equal(hand.runs(), 2)
})

test('a time to wake that is set during a run is kept', async (t) => {
  const hand = startByHand(t)
  hand.pulse.wakeIn(50)
  await hand.end(everyMs)
  hand.pass(50)
  assert.equal(hand.runs(), 2)
})

test('a time in the past is now', async (t) => {
  const hand = startByHand(t)
  await hand.end()
  hand.pulse.wakeIn(-10)
  hand.pass(1)
  assert.equal(hand.runs(), 2)
})

test('a run that fails is reported, and the next comes as ever', async (t) => {
  const hand = startByHand(t)
  const error = new Error('the database is away')
  await hand.end(error)
  assert.deepEqual(hand.errors, [error])
  hand.pass(everyMs)
  assert.equal(hand.runs(), 2)
  hand.pulse.wake()
  await hand.end(error)
  assert.equal(hand.runs(), 3)
})

test('it rests after a run, however often it is woken, and then runs once', async (t) => {
  const hand = startByHand(t, () => 20)
  hand.pulse.wake()
  await hand.end()
  hand.pulse.wake()
  hand.pulse.wakeIn(0)
  hand.pass(19)
  assert.equal(hand.runs(), 1)
  hand.pass(1)
  await turn()
  assert.equal(hand.runs(), 2)
  await hand.end()
  hand.pass(20)
  await turn()
  assert.equal(hand.runs(), 2, 'nobody woke it since')
  hand.pass(everyMs)
  assert.equal(hand.runs(), 3)
})

test('woken after its rest, it runs at once', async (t) => {
  const hand = startByHand(t, () => 20)
  await hand.end()
  hand.pass(20)
  await turn()
  hand.pulse.wake()
  assert.equal(hand.runs(), 2)
})

test('how long it rests is asked after each run; less than a millisecond is no rest', async (t) => {
  let rest = 0.9
  const hand = startByHand(t, () => rest)
  await hand.end()
  hand.pulse.wake()
  assert.equal(hand.runs(), 2)
  rest = 5
  await hand.end()
  hand.pulse.wake()
  assert.equal(hand.runs(), 2)
  hand.pass(5)
  await turn()
  assert.equal(hand.runs(), 3)
})

test('a stop during a rest is followed by no run', async (t) => {
  const hand = startByHand(t, () => 20)
  hand.pulse.wake()
  await hand.end()
  const stop = hand.pulse.stop()
  hand.pass(20)
  await stop
  hand.pass(everyMs * 10)
  assert.equal(hand.runs(), 1)
})

test('a stop waits for the current run, and no other follows', async (t) => {
  const hand = startByHand(t)
  hand.pulse.wake()
  let stopped = false
  const stop = hand.pulse.stop().then(() => {
    stopped = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(stopped, false)
  await hand.end(0)
  await stop
  hand.pulse.wake()
  hand.pulse.wakeIn(0)
  hand.pass(everyMs * 10)
  assert.equal(hand.runs(), 1)
})

test('a stop while it pauses ends at once', async (t) => {
  const hand = startByHand(t)
  await hand.end()
  await hand.pulse.stop()
  hand.pass(everyMs * 10)
  assert.equal(hand.runs(), 1)
})
