// What is counted of commits, and what becomes of it when stretches and processes are added up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addHistograms, emptyHistogram, percentileOf, stepOf } from '../../src/system/histogram.ts'
import { figuresOf, historyOf } from '../../src/system/history.ts'
import { Meter } from '../../src/system/meter.ts'
import type { Sample } from '../../src/system/statements.ts'

function histogramOf(...milliseconds: number[]): number[] {
  const counts = emptyHistogram()
  for (const each of milliseconds) counts[stepOf(each)] = (counts[stepOf(each)] ?? 0) + 1
  return counts
}

test('percentiles are right within the width of a step, and never too low', () => {
  for (const milliseconds of [0.01, 0.3, 1, 4, 37, 999, 60_000]) {
    const told = percentileOf(histogramOf(milliseconds), 0.5)
    assert.ok(told >= milliseconds * 0.99, `${told} for ${milliseconds}`)
    assert.ok(told <= Math.max(milliseconds, 0.25) * 1.2, `${told} for ${milliseconds}`)
  }
  assert.equal(percentileOf(emptyHistogram(), 0.5), 0)
  assert.ok(percentileOf(histogramOf(Number.MAX_VALUE), 0.99) > 200_000)
  const both = addHistograms([histogramOf(1, 1, 1), histogramOf(100)])
  assert.equal(percentileOf(both, 0.5), percentileOf(histogramOf(1), 0.5))
  assert.equal(percentileOf(both, 0.99), percentileOf(histogramOf(100), 0.5))
})

test('a meter counts until it is read, and then anew', () => {
  let now = 1_000
  const meter = new Meter(() => now)
  meter.committed({ callIds: ['a', 'b'], packets: 10, lost: 3, milliseconds: 2 })
  meter.committed({ callIds: ['a'], packets: 5, lost: -1, milliseconds: 2 })
  now += 2_000
  const { commitTimes, ...read } = meter.read()
  assert.deepEqual(read, { seconds: 2, packets: 15, lost: 2, calls: 2 })
  assert.equal(
    commitTimes.reduce((sum, count) => sum + count),
    2,
  )
  now += 1_000
  assert.deepEqual(meter.read(), {
    seconds: 1,
    packets: 0,
    lost: 0,
    calls: 0,
    commitTimes: emptyHistogram(),
  })
})

const sample: Sample = {
  at: new Date('2026-11-21T09:00:00Z'),
  gateway: 'one',
  seconds: 10,
  packets: 1_000,
  lost_packets: 4,
  commit_times: histogramOf(2),
  own_calls: 7,
  sockets: 3,
  rss_bytes: 100,
  event_loop_ms_p99: 1.5,
  live_calls: 12,
  analyses_running: 2,
  waiting: 5,
}

test('the course adds up what processes did, and counts once what concerns all of them', () => {
  const samples: Sample[] = [
    sample,
    { ...sample, gateway: 'two', seconds: 5, packets: 100, lost_packets: -9, live_calls: 13 },
    { ...sample, at: new Date('2026-11-21T09:00:10Z'), packets: 0, commit_times: emptyHistogram() },
  ]
  const [first, second] = historyOf(samples)
  assert.deepEqual(first, {
    at: '2026-11-21T09:00:00.000Z',
    packets_per_second: 120,
    commit_ms_p50: 2,
    commit_ms_p99: 2,
    live_calls: 13,
    analyses_running: 2,
    waiting: 5,
    lost_packets: 0,
    rss_bytes: 200,
  })
  assert.equal(second?.packets_per_second, 0)
  assert.equal(second?.commit_ms_p50, 0)
  assert.equal(figuresOf('two', samples).packets_per_second, 20)
  assert.equal(figuresOf('one', samples).packets_per_second, 0, 'the latest counts')
  assert.equal(figuresOf('three', samples).sockets, 0)
})
