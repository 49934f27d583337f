// An AI service fails in every way it can, one after the other, while two gateways take calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../support/ai/ai-server.ts'
import {
  failuresOf,
  named,
  playCalls,
  twoGateways,
  untilAnalysed,
} from '../support/ai/audio-calls.ts'
import { drips, floods, hangs, resets, says, stalls, worksAndResets } from '../support/ai/faults.ts'
import { garbageAnswers } from '../support/ai/garbage.ts'
import { startOpenAiServer } from '../support/ai/openai-server.ts'
import { services, type TestService } from '../support/ai/services.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { sized } from '../support/soak.ts'
import { until } from '../support/until.ts'

const { refusal } = services.openai

function faultsOf({ refusal }: TestService): Readonly<Record<string, Fault>> {
  return {
    'says 500': refusal(500),
    'says 503 with Retry-After': refusal(503, { 'retry-after': '1' }),
    'says 429 with Retry-After': refusal(429, { 'retry-after': '1' }),
    'says 429 with a Retry-After of the past': refusal(429, { 'retry-after': '-10' }),
    'says 429 with a Retry-After that is none': refusal(429, { 'retry-after': 'soon' }),
    'hangs for ever': hangs,
    'drips a byte now and again': drips(100),
    'stops in the middle': stalls,
    'answers without end': floods(32 * 2 ** 20),
    'resets the connection': resets,
    'does the work and resets the connection': worksAndResets,
    ...Object.fromEntries(
      ['invalid JSON', 'a page of a proxy', 'deep nesting', 'only __proto__', 'zero bytes'].map(
        (name) => [`answers ${name}`, says(garbageAnswers[name] ?? { status: 500, body: '' })],
      ),
    ),
  }
}

for (const [name, service] of Object.entries(services))
  test(`two gateways ask ${name}, and no call is lost, and none has two results`, async (t) => {
    const server = await service.start()
    t.after(() => server.close())
    await using database = await createDatabase()
    const { pool } = database
    await using gateways = await startFleet(database.url, 2, {
      ...service.settings(server.url),
      // More patience than faults: what is looked for is loss, not when a call is given up.
      MAX_RETRY_ATTEMPTS: '20',
    })
    using pbx = createSender(gateways.urls)
    /** Plays calls to their end; the requests and the work that they took. */
    const analyse = async (names: readonly string[]) => {
      const [requests, done] = [server.requests.length, server.done.length]
      await playCalls(pool, pbx, names)
      await untilAnalysed(pool, names, sized(60_000, 600_000))
      assert.equal((await failuresOf(pool, names))?.failed, 0, names[0])
      return { requests: server.requests.slice(requests), done: server.done.slice(done) }
    }

    await t.test('whatever it does, and it is left alone when it asks', async () => {
      const [calls, failing] = [sized(4, 80), sized(2, 20)]
      const everyNth = sized(1, 4)
      for (const [what, fault] of Object.entries(faultsOf(service))) {
        let [left, request] = [failing, 0]
        server.misbehave = () => {
          if (left === 0 || request++ % everyNth !== 0) return undefined
          left -= 1
          return fault
        }
        const names = named(what.replaceAll(/[^a-zA-Z0-9]+/g, '-'), calls)
        const { requests, done } = await analyse(names)
        assert.equal(requests.length, calls + failing, what)
        const keys = new Set(requests.map(({ idempotencyKey }) => idempotencyKey))
        assert.equal(keys.size, calls, `${what}: a request is repeated with its own key`)
        const again = fault === worksAndResets || fault === stalls ? failing : 0
        assert.equal(done.length, calls + again, what)
      }
    })

    await t.test('a quarter of all requests fails: at most 1.4 requests a call', async (t) => {
      let request = 0
      server.misbehave = () => (request++ % 4 === 1 ? service.refusal(503) : undefined)
      const names = named('call', sized(60, name === 'openai' ? 10_000 : 2_000))
      const began = performance.now()
      const { requests, done } = await analyse(names)
      const seconds = (performance.now() - began) / 1_000
      const each = requests.length / names.length
      t.diagnostic(`${names.length} calls in ${seconds.toFixed(1)} s, ${each} requests a call`)
      assert.ok(each <= 1.4)
      assert.deepEqual([done.length, new Set(done).size], [names.length, names.length])
      const attempts = (await failuresOf(pool, names))?.attempts
      assert.equal(attempts, requests.length, 'nobody waited in attempts')
    })

    await until('no connection is left', () => server.openSockets() === 0)
    const { rows } = await pool.query('SELECT FROM provider_requests')
    assert.equal(rows.length, 0)
    await assertInvariants(pool, pbx.history)
  })

test('a call that alone is refused is FAILED for all to see; others are not held up', async (t) => {
  const server = await startOpenAiServer()
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url, {
    RETRY_INITIAL_WAIT: '0.1',
    RETRY_MAX_WAIT: '0.2',
  })
  using pbx = createSender(gateways.urls)
  server.misbehave = ({ idempotencyKey }) =>
    idempotencyKey.startsWith('large/') ? refusal(429) : undefined
  await playCalls(pool, pbx, ['large'])
  const others: string[] = []
  const reason = await until('it is FAILED', async () => {
    const names = named(`others-${others.length}`, 3)
    others.push(...names)
    await playCalls(pool, pbx, names)
    await untilAnalysed(pool, names)
    // Not from its row: it is tried anew as soon as the service answers another one.
    const { rows } = await pool.query<{ error: string }>(
      `SELECT data->>'error' AS error FROM events
       WHERE call_id = 'large' AND kind = 'transition' AND status = 'FAILED'`,
    )
    return rows[0]?.error
  })
  assert.equal(reason, 'openai: 429 Too Many Requests: no; it answers others')
  assert.deepEqual((await failuresOf(pool, others))?.used, 0)
  server.misbehave = () => undefined
  await untilAnalysed(pool, ['large'])
  await assertInvariants(pool, pbx.history)
})

test('a Retry-After is obeyed by both gateways', async (t) => {
  const server = await startOpenAiServer()
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url)
  using pbx = createSender(gateways.urls)
  server.misbehave = () => refusal(429, { 'retry-after': '3600' })
  await playCalls(pool, pbx, named('first', 1))
  await until('the service is left alone', async () => {
    const { rows } = await pool.query(`SELECT FROM providers WHERE state = 'open'`)
    return rows.length === 1
  })
  const asked = server.requests.length
  server.misbehave = () => undefined
  const names = [...named('first', 1), ...named('later', 20)]
  await playCalls(pool, pbx, names.slice(1))
  for (const url of gateways.urls()) {
    const reply = (await (await fetch(`${url}/v1/providers`)).json()) as {
      providers: { health: string; state: string; in_flight: number }[]
      backlog: { waiting: number; running: number }
    }
    assert.match(
      reply.providers[0]?.health ?? '',
      /^Failing since .*openai: 429 Too Many Requests.*; asked again at/,
    )
    assert.equal(reply.backlog.waiting, names.length)
  }
  assert.equal(server.requests.length, asked)
  await pool.query('UPDATE providers SET retry_at = clock_timestamp()')
  await untilAnalysed(pool, names)
  assert.equal((await failuresOf(pool, names))?.used, 0)
  await assertInvariants(pool, pbx.history)
})

test('a wrong key pauses the service, no call pays for it, and the reason can be read', async (t) => {
  const server = await startOpenAiServer({ apiKey: 'sk-right' })
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url, { OPENAI_API_KEY: 'sk-wrong' })
  using pbx = createSender(gateways.urls)
  const names = named('call', 20)
  await playCalls(pool, pbx, names)
  const { health } = await until('the service is paused', async () => {
    const reply = (await (await fetch(`${gateways.at(1).url}/v1/providers`)).json()) as {
      providers: { state: string; health: string }[]
    }
    return reply.providers.find(({ state }) => state === 'paused')
  })
  assert.match(health, /^Not asked since .*, its settings are wrong: openai: 401 Unauthorized/)
  assert.doesNotMatch(JSON.stringify(gateways.at(0).log), /sk-wrong/)
  for (const place of [0, 1]) {
    gateways.at(place).kill('SIGTERM')
    assert.equal(await gateways.at(place).exited, 0)
    await gateways.replace(place, {
      AI_PROVIDERS: 'openai',
      OPENAI_BASE_URL: server.url,
      OPENAI_API_KEY: 'sk-right',
    })
  }
  await untilAnalysed(pool, names)
  const failures = await failuresOf(pool, names)
  assert.deepEqual([failures?.failed, failures?.used], [0, 0])
  await assertInvariants(pool, pbx.history)
})

test('what a service cannot deal with fails for good, at once, with its reason', async (t) => {
  const server = await startOpenAiServer()
  t.after(() => server.close())
  await using database = await createDatabase()
  const { pool } = database
  await using gateways = await twoGateways(database.url, server.url)
  using pbx = createSender(gateways.urls)
  for (const status of [400, 413, 422]) {
    server.misbehave = () => refusal(status)
    const asked = server.requests.length
    const [callId = ''] = named(`call-${status}`, 1)
    await playCalls(pool, pbx, [callId])
    const reason = await until('it is FAILED', async () => {
      const { rows } = await pool.query<{ error_message: string }>(
        `SELECT error_message FROM calls WHERE call_id = $1 AND status = 'FAILED' AND due_at IS NULL`,
        [callId],
      )
      return rows[0]?.error_message
    })
    assert.match(reason, new RegExp(`^openai: ${status} `))
    assert.equal(server.requests.length, asked + 1)
  }
  await assertInvariants(pool, pbx.history)
})
