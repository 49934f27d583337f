// The last hour of a provider, minute by minute.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyOf } from '../../src/analysis/provider-history.ts'

test('an hour has sixty minutes, the current one last; outcomes are added up in theirs', () => {
  const latencies = (step: number) =>
    Array.from({ length: 20 }, (_, index) => Number(index === step))
  const row = { provider: 'mock', at: new Date('2026-11-21T08:59:00Z'), failed: 1 }
  const history = historyOf(
    [
      { ...row, succeeded: 1, latencies: latencies(3) },
      { ...row, succeeded: 2, latencies: latencies(10) },
      { ...row, at: new Date('2026-11-21T07:00:00Z'), succeeded: 9, latencies: latencies(1) },
    ],
    new Date('2026-11-21T09:00:30.500Z'),
  )
  assert.equal(history.length, 60)
  assert.equal(history[0]?.at, '2026-11-21T08:01:00.000Z')
  assert.deepEqual(history.at(-1), {
    at: '2026-11-21T09:00:00.000Z',
    succeeded: 0,
    failed: 0,
    latency_p50_ms: null,
    latency_p95_ms: null,
  })
  const { latency_p50_ms: median, latency_p95_ms: slow, ...outcome } = history.at(-2) ?? {}
  assert.deepEqual(outcome, { at: '2026-11-21T08:59:00.000Z', succeeded: 3, failed: 2 })
  assert.ok(Number(median) <= 8 && Number(slow) > 512)
  assert.equal(
    history.reduce((sum, { succeeded }) => sum + succeeded, 0),
    3,
  )
})
