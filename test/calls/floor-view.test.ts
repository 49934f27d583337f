// A call as one line of the floor.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFloor } from '../../src/calls/floor.ts'
import { gradeLimits, lastSaid, trendOf } from '../../src/calls/floor-view.ts'
import { gradeOf } from '../../src/recording/quality.ts'
import { storeCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'

test('a line says who spoke for how long and how the mood went, with the roles as they are now', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'talk')
  await storeCall(pool, 'unknown')
  const lines = async () => {
    const { calls } = await readFloor(pool, { limit: 10 }, 'test')
    return calls.map(({ call_id, talk, mood_trend }) => [call_id, talk, mood_trend])
  }
  const keep = async (step: string, result: object) =>
    pool.query(
      `INSERT INTO analysis_steps (call, step, track, provider, result, usage, latency_ms)
       VALUES ($1, $2, '', 'built-in', $3, '{}', 0)`,
      [call, step, result],
    )
  await keep('talk', { customer: 1.25, agent: 2, silence: 0.75, length: 4 })
  await keep('mood', {
    label: 'mixed',
    score: 0,
    tracks: {},
    over_time: [0.5, -0.5].map((score, index) => ({ start: 10 * index, end: 10, score })),
    swapped: false,
  })
  const talk = { customer_ms: 1_250, agent_ms: 2_000, silence_ms: 750, length_ms: 4_000 }
  assert.deepEqual(await lines(), [
    ['unknown', null, null],
    ['talk', talk, [0.5, -0.5]],
  ])
  await pool.query('UPDATE calls SET tracks_swapped = true WHERE id = $1', [call])
  assert.deepEqual((await lines())[1], [
    'talk',
    { ...talk, customer_ms: 2_000, agent_ms: 1_250 },
    null,
  ])
})

test('a long course of the mood has few parts, each the mean of what falls into it', () => {
  assert.deepEqual(trendOf([]), [])
  assert.deepEqual(trendOf([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3])
  const long = Array.from({ length: 20 }, (_, index) => (index < 10 ? -1 : 1))
  assert.deepEqual(trendOf(long), [-1, -1, -1, -1, 1, 1, 1, 1])
})

test('the last thing said is a line without its speaker, shortened from the front', () => {
  assert.equal(lastSaid(null), null)
  assert.equal(lastSaid('Customer: hello\nAgent: good day\n'), 'good day')
  assert.equal(lastSaid('x'.repeat(240)), `…${'x'.repeat(160)}`)
})

test('grades have the limits of the quality', () => {
  for (const [grade, share] of gradeLimits) {
    assert.equal(gradeOf(share * 1_000, 1_000), grade)
    assert.notEqual(gradeOf(share * 1_001, 1_000), grade)
  }
})
