// Audio that was late and came after all: senders that stall, stutter and lag behind, among real losses.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ClockGaps } from '../../../src/intake/media/clock-gaps.ts'
import { type Random, seededRandom } from '../../../src/random.ts'
import { ToldGaps } from '../../support/told-gaps.ts'

const frameMs = 20
const beganAt = 5_000
/** What jitter leaves of the length of a call: that of its first packet, and half a frame. */
const toleranceMs = 40
const seeds = Array.from({ length: 300 }, (_, index) => index + 1)

/** Something that happens to a sender at a frame. */
type Mishap =
  | { readonly kind: 'loss'; readonly frames: number }
  /** Its host pauses; then it catches up. */
  | { readonly kind: 'stall'; readonly milliseconds: number; readonly speed: number }
  /** Its host pauses so many times, and a frame leaves after each; then it catches up. */
  | { readonly kind: 'stutter'; readonly times: number; readonly milliseconds: number }
  /** For so many frames it goes on at the usual pace, but late; then it catches up. */
  | {
      readonly kind: 'lag'
      readonly frames: number
      readonly milliseconds: number
      readonly speed: number
    }

type Call = {
  readonly frames: number
  readonly mishaps: ReadonlyMap<number, Mishap>
  /** How late a frame is besides, in milliseconds. */
  readonly jitter: () => number
}

type Played = {
  readonly told: ToldGaps
  /** Frames that never came. */
  readonly lost: number
  /** How far what is told and what came exceeded the time of the call, at any packet at the usual pace. */
  readonly longestExcessMs: number
  /** The most that was told at any time. */
  readonly mostToldMs: number
}

/** Plays a call, and ends it. */
function play({ frames, mishaps, jitter }: Call): Played {
  const gaps = new ClockGaps()
  const told = new ToldGaps()
  let [lost, audioMs, last] = [0, 0, 0]
  let [longestExcessMs, mostToldMs] = [Number.NEGATIVE_INFINITY, 0]
  let speed = Number.POSITIVE_INFINITY
  let lag = { until: 0, milliseconds: 0 }
  let stutter = { frames: 0, milliseconds: 0 }
  let losing = 0
  for (let frame = 0; frame < frames; frame += 1) {
    const mishap = mishaps.get(frame)
    const due = beganAt + (frame + 1) * frameMs
    if (mishap?.kind === 'loss') losing = mishap.frames
    else if (mishap?.kind === 'stall') {
      last = due + mishap.milliseconds
      speed = mishap.speed
    } else if (mishap?.kind === 'stutter') {
      stutter = { frames: mishap.times, milliseconds: mishap.milliseconds }
      speed = Number.POSITIVE_INFINITY
    } else if (mishap?.kind === 'lag') {
      lag = { until: frame + mishap.frames, milliseconds: mishap.milliseconds }
      speed = mishap.speed
    }
    if (losing > 0) {
      losing -= 1
      lost += 1
      continue
    }
    let at = due + jitter() + (frame < lag.until ? lag.milliseconds : 0)
    if (stutter.frames > 0) {
      at = Math.max(at, last + stutter.milliseconds)
      stutter = { ...stutter, frames: stutter.frames - 1 }
    }
    const isBehind = last > due
    at = Math.max(at, last + (isBehind ? frameMs / speed : 0))
    const isUsualPace = at - last >= frameMs * 0.9
    last = at
    told.take(gaps.took(at, frameMs))
    audioMs += frameMs
    mostToldMs = Math.max(mostToldMs, told.totalMs)
    if (isUsualPace)
      longestExcessMs = Math.max(longestExcessMs, audioMs + told.totalMs - (at - beganAt))
  }
  told.take(gaps.rest())
  return { told, lost, longestExcessMs, mostToldMs }
}

/** Some mishaps of some kinds, each with the time to recover from it. */
function drawCall(random: Random, kinds: readonly Mishap['kind'][]): Call {
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const speeds = [1.25, 2, 10, Number.POSITIVE_INFINITY] as const
  const draw: Readonly<Record<Mishap['kind'], () => Mishap>> = {
    loss: () => ({ kind: 'loss', frames: between(1, 60) }),
    stall: () => ({
      kind: 'stall',
      milliseconds: between(100, 2_000),
      speed: speeds[between(0, 3)] ?? 1,
    }),
    stutter: () => ({
      kind: 'stutter',
      times: between(2, 15),
      milliseconds: between(100, 400),
    }),
    lag: () => ({
      kind: 'lag',
      frames: between(5, 250),
      milliseconds: between(20, 1_000),
      speed: speeds[between(0, 3)] ?? 1,
    }),
  }
  const mishaps = new Map<number, Mishap>()
  let frame = 100
  for (let mishap = 0; mishap < 8; mishap += 1) {
    const kind = kinds[between(0, kinds.length - 1)] ?? 'loss'
    mishaps.set(frame, draw[kind]())
    frame += between(800, 1_000)
  }
  const width = random() * 30
  return { frames: frame, mishaps, jitter: () => random() * width }
}

suite('what came is told as lost', () => {
  const late = ['stall', 'stutter', 'lag'] as const

  test('never in the end, however late it came', () => {
    for (const seed of seeds) {
      const { told } = play(drawCall(seededRandom(seed), late))
      assert.deepEqual(told.all, [], `seed ${seed}`)
    }
  })

  test('not even for a while after a stall, at whatever pace the sender catches up', () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const { told } = play({ ...drawCall(random, ['stall']), jitter: () => random() * 12 })
      assert.equal(told.words, 0, `seed ${seed}`)
      const { mostToldMs } = play(drawCall(random, ['stall']))
      assert.ok(mostToldMs <= frameMs, `seed ${seed}: ${mostToldMs} ms under jitter of ±15 ms`)
    }
  })

  test('for a while when it lags for longer than a second; then it is taken back at once', () => {
    const mishaps = new Map<number, Mishap>([
      [400, { kind: 'lag', frames: 200, milliseconds: 800, speed: Number.POSITIVE_INFINITY }],
    ])
    const lagging = play({ frames: 599, mishaps, jitter: () => 0 })
    assert.deepEqual(lagging.told.all, [{ packet: 400, milliseconds: 800 }])
    const over = play({ frames: 641, mishaps, jitter: () => 0 })
    assert.deepEqual(over.told.all, [])
    assert.equal(over.told.words, 2)
  })
})

suite('among stalls and lags', () => {
  const all = ['loss', 'loss', 'stall', 'stutter', 'lag'] as const

  test('the length of the call is that of the clock', () => {
    for (const seed of seeds) {
      const { told, lost } = play(drawCall(seededRandom(seed), all))
      const off = told.totalMs - lost * frameMs
      assert.ok(Math.abs(off) <= toleranceMs, `seed ${seed}: ${off} ms off, ${lost} frames lost`)
    }
  })

  test('it is never longer than the clock while the call goes on', () => {
    for (const seed of seeds) {
      const { longestExcessMs } = play(drawCall(seededRandom(seed), all))
      assert.ok(longestExcessMs <= toleranceMs, `seed ${seed}: ${longestExcessMs} ms`)
    }
  })

  test('a loss is told once, in full, and stays', () => {
    for (const speed of [1.25, 2, 10, Number.POSITIVE_INFINITY]) {
      const mishaps = new Map<number, Mishap>([
        [400, { kind: 'loss', frames: 40 }],
        [1_000, { kind: 'stall', milliseconds: 800, speed }],
        [1_600, { kind: 'loss', frames: 1 }],
      ])
      const { told } = play({ frames: 2_000, mishaps, jitter: () => 0 })
      assert.deepEqual(told.all, [
        { packet: 400, milliseconds: 800 },
        { packet: 1_560, milliseconds: 20 },
      ])
      assert.equal(told.words, 2)
    }
  })

  test('a loss in the midst of a lag is what is left when that is over', () => {
    const mishaps = new Map<number, Mishap>([
      [400, { kind: 'lag', frames: 300, milliseconds: 600, speed: 10 }],
      [500, { kind: 'loss', frames: 10 }],
    ])
    const { told } = play({ frames: 1_000, mishaps, jitter: () => 0 })
    assert.equal(told.totalMs, 200)
  })
})
