// An AI service that fails for longer than a burst of attempts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

test('calls that fail are FAILED, tried anew, and archived once the AI is well', async (t) => {
  // So few that the provider as a whole is not taken for ill.
  const calls = 2
  const short = { MAX_RETRY_ATTEMPTS: '3', REDRIVE_INITIAL_WAIT: '0.5', REDRIVE_MAX_WAIT: '1' }
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1, {
    ...short,
    AI_SERVICE_FAILURE_RATE: '1',
  })
  using pbx = createSender(gateways.urls)
  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      await pbx.deliver({ callId: `call-${number}`, sequence: 1, data: 'hello?' })
      await pbx.hangUp(`call-${number}`)
    }),
  )

  const failed = await until('a call is FAILED', async () => {
    const { body } = await getCall(gateways.at(0).url, 'call-0')
    return body.status === 'FAILED' && body
  })
  assert.equal(failed.error_message, 'mock: 503 Service Unavailable')
  assert.equal(failed.ai_processed_at, null)
  assert.ok(Number(failed.ai_processing_attempts) >= 3)
  await until('the history lists it as FAILED', async () => {
    const history = await fetch(`${gateways.at(0).url}/v1/call/history?status=FAILED`)
    const { calls: listed } = (await history.json()) as { calls: { call_id: string }[] }
    return listed.some(({ call_id }) => call_id === 'call-0')
  })
  await until('a completion while it is FAILED is refused', async () => {
    const { status, body } = await completeCall(gateways.at(0).url, 'call-0')
    return status === 400 && body.detail === 'Cannot complete call in status FAILED'
  })

  await until('every call was tried anew, twice', async () => {
    const { rows } = await database.pool.query('SELECT FROM calls WHERE redrives < 2')
    return rows.length === 0
  })
  gateways.at(0).kill('SIGTERM')
  assert.equal(await gateways.at(0).exited, 0)
  await gateways.replace(0, { ...short, AI_SERVICE_FAILURE_RATE: '0' })
  await untilArchived(database, calls)

  const { body: archived } = await getCall(gateways.at(0).url, 'call-0')
  assert.equal(archived.error_message, null)
  assert.equal(archived.transcription, 'hello?')
  const { rows } = await database.pool.query<{ attempts: number; redrives: number }>(
    'SELECT sum(attempts)::integer AS attempts, max(redrives) AS redrives FROM calls',
  )
  t.diagnostic(`${rows[0]?.attempts} attempts, up to ${rows[0]?.redrives} re-drives of a call`)
  await assertInvariants(database.pool, pbx.history)
})

test('an outage uses up no attempts: the calls wait, and are archived once it is over', async (t) => {
  const calls = 150
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, { AI_SERVICE_FAILURE_RATE: '1' })
  using pbx = createSender(gateways.urls)
  const play = (from: number, to: number) =>
    Promise.all(
      Array.from({ length: to - from }, async (_, number) => {
        await pbx.deliver({ callId: `call-${from + number}`, sequence: 1, data: 'hello?' })
        await pbx.hangUp(`call-${from + number}`)
      }),
    )
  await play(0, 50)
  await until('the provider is not asked any more', async () => {
    for (const url of gateways.urls()) {
      const { providers } = (await (await fetch(`${url}/v1/providers`)).json()) as {
        providers: { name: string; state: string; health: string }[]
      }
      const [mock] = providers
      // Between two trials the time of the next one is told; now and then it has come, or one is on its way.
      if (mock?.state !== 'open' || !mock.health.includes('asked again at')) return false
      assert.match(mock.health, /^Failing since .*mock: 503 Service Unavailable.*asked again at/)
    }
    return true
  })
  await play(50, calls)
  const { rows: used } = await database.pool.query<{ failed: number; used: number }>(
    `SELECT count(*) FILTER (WHERE status = 'FAILED')::integer AS failed,
       sum(burst_attempts)::integer AS used FROM calls`,
  )
  assert.equal(used[0]?.failed, 0)
  for (const index of [0, 1]) {
    gateways.at(index).kill('SIGTERM')
    assert.equal(await gateways.at(index).exited, 0)
    await gateways.replace(index, { AI_SERVICE_FAILURE_RATE: '0' })
  }
  await untilArchived(database, calls)
  const { rows } = await database.pool.query<{ attempts: number }>(
    'SELECT sum(attempts)::integer AS attempts FROM calls',
  )
  t.diagnostic(`${rows[0]?.attempts} attempts for ${calls} calls; ${used[0]?.used} were used up`)
  await assertInvariants(database.pool, pbx.history)
})
