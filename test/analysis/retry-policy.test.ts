import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  backoff,
  type FailedAttempt,
  nextStep,
  type RetrySettings,
} from '../../src/analysis/retry-policy.ts'
import { seededRandom } from '../../src/random.ts'

const settings: RetrySettings = {
  maxAttempts: 5,
  initialWait: 1,
  maxWait: 60,
  redriveInitialWait: 300,
  redriveMaxWait: 21_600,
  redriveHorizon: 259_200,
}
const first: FailedAttempt = {
  kind: 'retryable',
  burstAttempts: 0,
  redrives: 0,
  secondsSinceCompletion: 2.5,
}
const least = () => 0
const most = () => 1 - 2 ** -32

/** Seconds, to the millisecond. */
const seconds = (most: number) => fc.nat(most * 1_000).map((milliseconds) => milliseconds / 1_000)
const waits = fc
  .tuple(seconds(10_000), seconds(1_000_000))
  .map(([initial, more]) => ({ initial, max: initial + more }))
const seed = fc.nat(2 ** 32 - 1)

test('a wait is at least half and at most all of initial × 2^(step - 1), and never over the longest', () => {
  fc.assert(
    fc.property(
      waits,
      fc.integer({ min: 1, max: 2_000 }),
      seed,
      ({ initial, max }, step, drawn) => {
        const wait = backoff(step, initial, max, seededRandom(drawn))
        // Multiplied out, as a child would.
        let whole = initial
        for (let doubling = 1; doubling < step && whole < max && whole > 0; doubling += 1)
          whole *= 2
        whole = Math.min(whole, max)
        assert.ok(wait >= whole / 2 && wait <= whole, `${wait} s of ${whole} s`)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('the jitter reaches from the half to the whole, so calls that fail together come back apart', () => {
  const whole = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => backoff(step, 1, 60, most))
  const half = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => backoff(step, 1, 60, least))
  assert.deepEqual(whole.map(Math.round), [1, 2, 4, 8, 16, 32, 60, 60])
  assert.deepEqual(half, [0.5, 1, 2, 4, 8, 16, 30, 30])
  const random = seededRandom(1)
  const drawn = Array.from({ length: 1_000 }, () => backoff(4, 1, 60, random))
  assert.ok(new Set(drawn).size > 990)
  assert.ok(drawn.some((wait) => wait < 4.2) && drawn.some((wait) => wait > 7.8))
})

test('five failures in a row fail a call, after waits of 1, 2, 4 and 8 seconds and none after the last', () => {
  const steps = [0, 1, 2, 3, 4].map((burstAttempts) =>
    nextStep({ ...first, burstAttempts }, settings, most),
  )
  assert.deepEqual(
    steps.map(({ fails, usesUpAttempt }) => ({ fails, usesUpAttempt })),
    [false, false, false, false, true].map((fails) => ({ fails, usesUpAttempt: true })),
  )
  assert.deepEqual(
    steps.slice(0, 4).map(({ wait }) => Math.round(wait ?? -1)),
    [1, 2, 4, 8],
  )
  // What follows the last is the first re-drive.
  assert.equal(Math.round(steps[4]?.wait ?? -1), 300)
})

test('with one attempt a burst there is no retry, only the re-drive', () => {
  const { fails, wait } = nextStep(first, { ...settings, maxAttempts: 1 }, most)
  assert.equal(fails, true)
  assert.equal(Math.round(wait ?? -1), 300)
})

test('an outage and a wrong setting use no attempt up, however long they last', () => {
  for (const kind of ['outage', 'configuration'] as const)
    for (const burstAttempts of [0, 1, 4])
      for (let outages = 0; outages < 1_000; outages += 1) {
        const { usesUpAttempt, fails, wait } = nextStep(
          { ...first, kind, burstAttempts, secondsSinceCompletion: outages * 60 },
          settings,
          most,
        )
        assert.deepEqual({ usesUpAttempt, fails }, { usesUpAttempt: false, fails: false })
        assert.equal(Math.round(wait ?? -1), [1, 1, 2, 4, 8][burstAttempts])
      }
})

test('what can never succeed fails at once and is not tried again', () => {
  for (const burstAttempts of [0, 3, 4])
    assert.deepEqual(nextStep({ ...first, kind: 'permanent', burstAttempts }, settings, least), {
      usesUpAttempt: true,
      fails: true,
      wait: null,
    })
})

test('a failed call is driven anew after growing pauses, until the horizon', () => {
  const last = { ...first, burstAttempts: 4 }
  const pauses = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(
    (redrives) => nextStep({ ...last, redrives }, settings, most).wait,
  )
  assert.deepEqual(
    pauses.map((wait) => Math.round(wait ?? -1)),
    [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 21_600, 21_600],
  )
  const at = (secondsSinceCompletion: number) =>
    nextStep({ ...last, secondsSinceCompletion }, settings, least).wait
  assert.equal(at(259_200 - 150), 150)
  assert.equal(at(259_200 - 149), null)
  assert.equal(at(259_200 * 10), null)
})

const attempts = fc.record({
  kind: fc.constantFrom('retryable', 'outage', 'configuration', 'permanent'),
  burstAttempts: fc.nat(12),
  redrives: fc.nat(2_000),
  secondsSinceCompletion: seconds(400_000),
})
const anySettings = fc
  .record({
    maxAttempts: fc.integer({ min: 1, max: 12 }),
    burst: waits,
    redrive: waits,
    redriveHorizon: seconds(300_000),
  })
  .map(({ maxAttempts, burst, redrive, redriveHorizon }) => ({
    maxAttempts,
    initialWait: burst.initial,
    maxWait: burst.max,
    redriveInitialWait: redrive.initial,
    redriveMaxWait: redrive.max,
    redriveHorizon,
  }))

test('whatever the settings: every step has an end in sight and a wait within its bounds', () => {
  fc.assert(
    fc.property(attempts, anySettings, seed, (attempt, config, drawn) => {
      const { usesUpAttempt, fails, wait } = nextStep(attempt, config, seededRandom(drawn))
      assert.equal(usesUpAttempt, ['retryable', 'permanent'].includes(attempt.kind))
      const failures = attempt.burstAttempts + Number(usesUpAttempt)
      assert.equal(fails, attempt.kind === 'permanent' || failures >= config.maxAttempts)
      if (wait === null) {
        // Only a failed call is given up.
        assert.ok(fails)
        return
      }
      assert.ok(wait >= 0 && wait <= (fails ? config.redriveMaxWait : config.maxWait))
      assert.ok(!fails || attempt.secondsSinceCompletion + wait <= config.redriveHorizon)
    }),
    { numRuns: 5_000 },
  )
})

test('a burst ends after exactly as many failures as it may have, outages in between or not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.boolean(), { minLength: 100, maxLength: 100 }),
      seed,
      (maxAttempts, outages, drawn) => {
        const random = seededRandom(drawn)
        let burstAttempts = 0
        for (const outage of [...outages, ...Array<boolean>(maxAttempts).fill(false)]) {
          const kind = outage ? 'outage' : 'retryable'
          const step = nextStep(
            { ...first, kind, burstAttempts },
            { ...settings, maxAttempts },
            random,
          )
          burstAttempts += Number(step.usesUpAttempt)
          assert.equal(step.fails, burstAttempts === maxAttempts)
          if (step.fails) return
        }
        assert.fail('the burst did not end')
      },
    ),
    { numRuns: 1_000 },
  )
})
