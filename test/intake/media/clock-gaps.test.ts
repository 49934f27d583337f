// Lost audio on a wire without numbers: a simulated sender, a virtual clock.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ClockGaps } from '../../../src/intake/media/clock-gaps.ts'
import { type Random, seededRandom } from '../../../src/random.ts'
import { ToldGaps } from '../../support/told-gaps.ts'

const frameMs = 20

type Sender = {
  readonly frames: number
  /** Frames that are not sent. */
  readonly lost?: (frame: number) => boolean
  /** How late a frame comes, in milliseconds, from 0. */
  readonly delay?: (frame: number) => number
  /** How much slower its clock is than ours. */
  readonly drift?: number
  /** How many frames leave together. */
  readonly together?: number
}

type Found = { readonly frame: number; readonly milliseconds: number }

/** Plays a sender; the gaps found, each in front of the frame that stands behind it. */
function play({ frames, lost, delay, drift = 0, together = 1 }: Sender): Found[] {
  const gaps = new ClockGaps()
  const sent: number[] = []
  const told = new ToldGaps()
  let cameLast = 0

  for (let frame = 0; frame < frames; frame += 1) {
    if (lost?.(frame) === true) continue
    sent.push(frame)
    const leaves = Math.ceil((frame + 1) / together) * together * frameMs
    // One connection: nothing overtakes.
    cameLast = Math.max(cameLast, 1_000 + leaves * (1 + drift) + (delay?.(frame) ?? 0))
    told.take(gaps.took(cameLast, frameMs))
  }
  told.take(gaps.rest())
  if (lost === undefined) assert.equal(told.words, 0, 'nothing is told, not even for a while')
  return told.all.map(({ packet, milliseconds }) => ({ frame: sent[packet] ?? -1, milliseconds }))
}

/** Arrivals that differ by 15 ms in both directions. */
function jitter(random: Random): () => number {
  return () => random() * 30
}

function range(from: number, count: number): (frame: number) => boolean {
  return (frame) => frame >= from && frame < from + count
}

function total(found: readonly Found[]): number {
  return found.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
}

suite('a sender that loses nothing has no gap', () => {
  const hour = 180_000
  const random = seededRandom(1)
  const stall = range(500, 25)

  for (const [what, sender] of Object.entries<Sender>({
    'with frames every 20 ms': { frames: 1_000 },
    'with jitter of ±15 ms for an hour': { frames: hour, delay: jitter(random) },
    'with ten frames at a time': { frames: 1_000, together: 10 },
    'after a stall of 500 ms and a burst': {
      frames: 1_000,
      delay: (frame) => (stall(frame) ? (525 - frame) * frameMs : 0),
    },
    'after a stall of 500 ms in the midst of jitter': {
      frames: 1_000,
      delay: (frame) => (stall(frame) ? (525 - frame) * frameMs : random() * 30),
    },
    'after stalls of 3 s, each with a burst, in the midst of jitter': {
      frames: 10_000,
      delay: (frame) => (frame % 500 < 150 ? (150 - (frame % 500)) * frameMs : random() * 30),
    },
    'when it begins with a burst': {
      frames: 1_000,
      delay: (frame) => Math.max(0, 400 - frame * frameMs),
    },
    'with a clock that is 200 ppm slow, for an hour': { frames: hour, drift: 200e-6 },
    'with a clock that is 200 ppm fast, for an hour': { frames: hour, drift: -200e-6 },
    'with a clock that is 200 ppm slow and jitter, for an hour': {
      frames: hour,
      drift: 200e-6,
      delay: jitter(random),
    },
    'when its last frames are late': {
      frames: 1_000,
      delay: (frame) => (frame > 990 ? 30 : 0),
    },
  }))
    test(what, () => assert.deepEqual(play(sender), []))
})

suite('frames that are dropped are a gap of their length', () => {
  for (const count of [1, 2, 5, 25, 100]) {
    test(`${count} of them, at their place to the frame`, () => {
      const found = play({ frames: 1_000, lost: range(400, count) })
      assert.deepEqual(found, [{ frame: 400 + count, milliseconds: count * frameMs }])
    })

    test(`${count} of them, under jitter of ±15 ms`, () => {
      for (let seed = 1; seed <= 200; seed += 1) {
        const from = 200 + seed
        const delay = jitter(seededRandom(seed))
        const found = play({ frames: 1_000, lost: range(from, count), delay })
        assert.equal(total(found), count * frameMs, `seed ${seed}: ${JSON.stringify(found)}`)
        const [first] = found
        const early = from + count - (first?.frame ?? 0)
        assert.ok(early >= 0 && early <= count + 15, `seed ${seed}: ${early} frames early`)
      }
    })

    test(`${count} of them, from a clock that is 200 ppm slow or fast`, () => {
      for (const drift of [200e-6, -200e-6])
        assert.deepEqual(play({ frames: 20_000, lost: range(15_000, count), drift }), [
          { frame: 15_000 + count, milliseconds: count * frameMs },
        ])
    })

    test(`${count} of them just before the end, as long as 0.4 s come after`, () => {
      const found = play({ frames: 1_000, lost: range(979 - count, count) })
      assert.deepEqual(found, [{ frame: 979, milliseconds: count * frameMs }])
    })
  }

  test('of a sender that sends ten frames at a time', () => {
    const found = play({ frames: 1_000, lost: range(400, 10), together: 10 })
    assert.deepEqual(found, [{ frame: 410, milliseconds: 200 }])
    assert.equal(total(play({ frames: 1_000, lost: range(403, 1), together: 10 })), frameMs)
  })

  test('one of them, from a sender whose messages are of several lengths', () => {
    const gaps = new ClockGaps()
    const lengths = [1, 2, 1, 5, 3]
    const found: (number | undefined)[] = []
    for (let [frame, message] = [0, 0]; frame < 400; message += 1) {
      const length = lengths[message % lengths.length] ?? 1
      // The message in which frame 101 is leaves one frame later.
      const lost = frame <= 101 && 101 < frame + length ? 1 : 0
      if (lost > 0) found.push(message)
      frame += length + lost
      for (const gap of gaps.took(1_000 + frame * frameMs, length * frameMs))
        if (gap.packet > 0) found.push(gap.packet, gap.milliseconds)
    }
    assert.equal(found[0], found[1])
    assert.deepEqual(found.slice(2), [frameMs])
  })

  test('several close together are told one by one', () => {
    const drops = [400, 401, 410, 411, 412, 430, 470]
    const found = play({ frames: 1_000, lost: (frame) => drops.includes(frame) })
    assert.deepEqual(found, [
      { frame: 402, milliseconds: 40 },
      { frame: 413, milliseconds: 60 },
      { frame: 431, milliseconds: 20 },
      { frame: 471, milliseconds: 20 },
    ])
  })

  test('any of them at random are told in full, under jitter and drift', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed)
      const width = random() * 30
      const dropped = new Set<number>()
      for (let drop = 0; drop < 10; drop += 1) {
        const from = 100 + Math.floor(random() * 9_000)
        for (let frame = from; frame < from + 1 + random() * 30; frame += 1) dropped.add(frame)
      }
      const found = play({
        frames: 10_000,
        lost: (frame) => dropped.has(frame),
        delay: () => random() * width,
        drift: (random() - 0.5) * 400e-6,
      })
      const told = total(found)
      assert.ok(Math.abs(told - dropped.size * frameMs) <= frameMs / 2, `seed ${seed}: ${told} ms`)
    }
  })

  test('a sender that says nothing in pauses is told of to a part of a frame for each', () => {
    const random = seededRandom(7)
    const gaps = new ClockGaps()
    let at = 0
    let silent = 0
    const told = new ToldGaps()
    for (let talk = 0; talk < 1_000; talk += 1) {
      const pause = talk === 0 ? 0 : 300 + random() * 700
      silent += pause
      at += pause
      for (let frame = 0; frame < 75; frame += 1) {
        at += frameMs
        told.take(gaps.took(at, frameMs))
      }
    }
    told.take(gaps.rest())
    assert.ok(Math.abs(told.totalMs - silent) < 200, `${told.totalMs} ms for ${silent} ms`)
  })
})

test('audio that was not expected is no gap', () => {
  const gaps = new ClockGaps()
  let at = 0
  for (let frame = 0; frame < 100; frame += 1) {
    at += frameMs
    assert.deepEqual(gaps.took(at, frameMs), [])
  }
  at += 60_000
  gaps.resume()
  for (let frame = 0; frame < 100; frame += 1) {
    at += frameMs
    assert.deepEqual(gaps.took(at, frameMs), [])
  }
})

test('packets without a length do no harm', () => {
  const gaps = new ClockGaps()
  for (let at = 0; at < 10_000; at += 20) assert.deepEqual(gaps.took(at, 0), [])
})

test('any packets at any time are taken, and what is told makes sense', () => {
  const gaps = new ClockGaps()
  const told = new ToldGaps()
  const random = seededRandom(11)
  let at = 0
  for (let packet = 0; packet < 500_000; packet += 1) {
    at += random() < 0.001 ? random() * 5_000 : random() * 0.05
    const duration = random() < 0.5 ? 0 : random() < 0.5 ? 0.125 : random() * 60
    const found = gaps.took(at, duration)
    told.take(found)
    assert.ok(found.every((gap) => gap.packet <= packet))
  }
})
