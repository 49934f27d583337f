// Fault 10: a call's packets were counted by loading all of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'

test('7.10 calls are read, listed and completed even while their packets are locked', async () => {
  await using database = await createDatabase()
  // Its analysis, which reads the packets, does not start.
  await using gateways = await startFleet(database.url, 1, { COMPLETION_GRACE_SECONDS: '3600' })
  using pbx = createSender(gateways.urls)
  const { url } = gateways.at(0)
  await Promise.all(
    [1, 2, 4, 5, 9].map((sequence) => pbx.deliver({ callId: 'a', sequence, data: 'audio' })),
  )

  await using locker = await connect(database.url)
  await locker.query('BEGIN')
  await locker.query('LOCK TABLE segments, spilled_ranges IN ACCESS EXCLUSIVE MODE')
  const { body: call } = await getCall(url, 'a')
  assert.equal(call.total_packets, 5)
  assert.equal(call.packets_count, 5)
  assert.equal(call.missing_packets, '3,6,7,8')
  const history = await fetch(`${url}/v1/call/history`)
  const { calls, total } = (await history.json()) as { calls: unknown[]; total: number }
  assert.deepEqual([calls.length, total], [1, 1])
  assert.equal((await completeCall(url, 'a')).body.total_packets, 5)
  await locker.query('ROLLBACK')
  await assertInvariants(database.pool, pbx.history)
})
