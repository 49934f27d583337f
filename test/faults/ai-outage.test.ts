// The only AI service is away for longer than any burst of attempts; then it comes back, and calls go on coming.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  failuresOf,
  named,
  playCalls,
  twoGateways,
  untilAnalysed,
} from '../support/ai/audio-calls.ts'
import { says } from '../support/ai/faults.ts'
import { refuse, startOpenAiServer } from '../support/ai/openai-server.ts'
import { createDatabase } from '../support/database.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const calls = 200
const away = says(refuse('openai', 503, 'maintenance', null, { 'retry-after': '1' }))

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}

test('an outage loses nothing and costs nothing; the backlog drains by itself, the oldest first', async (t) => {
  const server = await startOpenAiServer()
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url)
  using pbx = createSender(gateways.urls)

  const fresh = named('fresh', calls)
  const intakeBefore = await secondsOf(() => playCalls(pool, pbx, fresh))
  await untilAnalysed(pool, fresh)

  server.misbehave = () => away
  const asked = server.requests.length
  const waiting = named('waiting', calls)
  const intakeMeanwhile = await secondsOf(() => playCalls(pool, pbx, waiting))
  const trials = server.requests.length
  const outage = await secondsOf(() =>
    until('it was tried for the fourth time', () => server.requests.length >= trials + 4),
  )
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*) FROM calls WHERE status IN ('COMPLETED', 'PROCESSING_AI')`,
  )
  assert.equal(rows[0]?.count, calls, 'all wait where they are')

  server.misbehave = () => undefined
  const drained = await secondsOf(() => untilAnalysed(pool, waiting))
  const failures = await failuresOf(pool, waiting)
  assert.deepEqual([failures?.failed, failures?.used], [0, 0])
  t.diagnostic(
    `${server.requests.length - asked - calls} requests in vain; ${outage.toFixed(1)} s later ` +
      `${calls} calls drained in ${drained.toFixed(1)} s`,
  )
  t.diagnostic(
    `intake of ${calls} calls: ${intakeBefore.toFixed(1)} s, and ${intakeMeanwhile.toFixed(1)} s in the outage`,
  )

  // Among those that nobody had begun when it came back, the order of completion is that of analysis.
  const { rows: pairs } = await pool.query<{ order: number }>(
    `SELECT corr(completed, analysed) AS order FROM (
       SELECT rank() OVER (ORDER BY completed_at) AS completed,
         rank() OVER (ORDER BY ai_processed_at) AS analysed
       FROM calls WHERE call_id = ANY ($1) AND attempts = 1) AS ranks`,
    [waiting],
  )
  assert.ok((pairs[0]?.order ?? 0) > 0.9, `oldest first: ${pairs[0]?.order}`)
  await assertInvariants(pool, pbx.history)
})

test('an attempt under way when the service goes away neither fails nor keeps the call', async (t) => {
  const server = await startOpenAiServer()
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url, {
    OPENAI_CHAT_MODEL: 'gpt-4o-mini',
  })
  using pbx = createSender(gateways.urls)
  server.misbehave = ({ path }) => (path.endsWith('completions') ? away : undefined)
  const names = named('call', 20)
  await playCalls(pool, pbx, names)
  await until('the chat was asked in vain', () =>
    server.requests.some(({ path }) => path.endsWith('completions')),
  )
  server.misbehave = () => undefined
  await untilAnalysed(pool, names)
  const transcribed = server.requests.filter(({ path }) => path.endsWith('transcriptions'))
  assert.equal(transcribed.length, names.length, 'what was transcribed is not transcribed again')
  assert.equal(new Set(server.done).size, 3 * names.length)
  assert.equal((await failuresOf(pool, names))?.failed, 0)
  await assertInvariants(pool, pbx.history)
})
