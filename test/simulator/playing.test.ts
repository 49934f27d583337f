import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playSteps, type Step } from '../../src/simulator/playing.ts'
import { testCall } from './protocols/recorder.ts'

const drained = async () => {}
const steps: readonly Step[] = Array.from({ length: 50 }, (_, index) => ({
  at: index * 0.02,
  message: '',
  packets: [{ track: 'mixed', sequence: index + 1 }],
}))

/** A clock of which every wait takes 3 ms longer than asked. */
function lateClock() {
  let now = 1000
  return {
    now: () => now,
    wait: async (seconds: number) => {
      if (seconds > 0) now += seconds + 0.003
    },
  }
}

test('late timers do not add up: every packet leaves in time of the start', async (t) => {
  const clock = lateClock()
  const late: number[] = []
  const deliver = ({ at }: Step) => {
    late.push(clock.now() - 1000 - at)
    return true
  }
  await playSteps(steps, testCall(t, '', { clock }), { deliver, drained })
  assert.equal(late.length, 50)
  assert.ok(late.every((seconds) => seconds > -1e-9 && seconds < 0.0031))
})

test('ten times as fast takes a tenth of the time', async (t) => {
  const clock = lateClock()
  await playSteps(steps, testCall(t, '', { clock, rate: 10 }), { deliver: () => true, drained })
  assert.ok(Math.abs(clock.now() - 1000.098) < 0.0031)
})

test('what was left out is not told as sent; a cut waits for its moment', async (t) => {
  const clock = lateClock()
  const call = testCall(t, '', { clock, cutAt: 0.55 })
  const deliver = ({ at }: Step) => at >= 0.5
  const { tracks, isCut } = await playSteps(steps, call, { deliver, drained })
  assert.deepEqual(tracks, [{ track: 'mixed', sequences: [26, 27, 28] }])
  assert.ok(isCut && clock.now() >= 1000.55)
})
