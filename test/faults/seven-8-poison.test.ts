// Fault 8: `{"sequence":"abc"}` was accepted, and every later packet of that call failed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall, post } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const good = { sequence: 2, data: 'packet 2', timestamp: 2.5 }
const poison: readonly (readonly [field: string, body: unknown])[] = [
  ['sequence', { ...good, sequence: 'abc' }],
  ['sequence', { ...good, sequence: '2' }],
  ['sequence', { ...good, sequence: null }],
  ['sequence', { ...good, sequence: -1 }],
  ['sequence', { ...good, sequence: 1.5 }],
  ['sequence', { ...good, sequence: 2 ** 53 }],
  ['sequence', { data: 'packet 2', timestamp: 2.5 }],
  ['data', { ...good, data: '' }],
  ['data', { ...good, data: 7 }],
  ['data', '{"sequence":2,"data":"\\ud800","timestamp":2.5}'],
  ['timestamp', { ...good, timestamp: 'now' }],
  ['timestamp', { ...good, timestamp: 0 }],
  ['timestamp', '{"sequence":2,"data":"packet 2","timestamp":1e999}'],
]

test('7.8 a packet with a wrong field is refused, and harms neither call nor batch', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1)
  using pbx = createSender(gateways.urls)
  const { url } = gateways.at(0)

  // Before the call exists: it must not come to be by a refused packet.
  for (const [field, body] of poison) {
    const refusal = await post(`${url}/v1/call/stream/poisoned`, body)
    assert.equal(refusal.status, 422, JSON.stringify(body))
    const [problem] = refusal.body.detail as { loc: unknown[] }[]
    assert.deepEqual(problem?.loc, ['body', field])
  }
  assert.equal((await getCall(url, 'poisoned')).status, 404)

  // Side by side with good ones, so that they would meet in one batch.
  const answers = await Promise.all([
    ...poison.map(([, body]) => post(`${url}/v1/call/stream/poisoned`, body)),
    ...Array.from({ length: 50 }, (_, index) =>
      pbx.send(url, { callId: 'poisoned', sequence: index + 1, data: `nul \0 ${index}` }),
    ),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...poison.map(() => 422), ...Array.from({ length: 50 }, () => 202)],
  )
  await completeCall(url, 'poisoned')
  await until('the call is archived', async () => {
    const { body } = await getCall(url, 'poisoned')
    return body.status === 'ARCHIVED' && body.total_packets === 50
  })
  await assertInvariants(database.pool, pbx.history)
})
