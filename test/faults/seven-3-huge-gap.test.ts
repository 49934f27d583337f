// Fault 3: one packet with sequence 2147483647 built a list of two billion gaps, and the process
// died.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

for (const [highest, missing, missingCount] of [
  [2 ** 31 - 1, '2-2147483646', 2 ** 31 - 3],
  [Number.MAX_SAFE_INTEGER, '2-9007199254740990', 2 ** 53 - 3],
] as const)
  test(`7.3 a jump to packet ${highest} costs one range, and the call goes on`, async () => {
    await using database = await createDatabase()
    await using gateways = await startFleet(database.url, 1)
    using pbx = createSender(gateways.urls)
    const { url, pid } = gateways.at(0)
    for (const sequence of [1, highest, 2, 3])
      await pbx.deliver({ callId: 'jump', sequence, data: `packet ${sequence}` })
    await pbx.deliver({ callId: 'neighbour', sequence: 1, data: 'packet 1' })

    const { body: call } = await getCall(url, 'jump')
    assert.equal(call.total_packets, 4)
    assert.equal(call.missing_packets, missing.replace('2-', '4-'))
    assert.equal(call.missing_count, missingCount - 2)
    const { rows } = await database.pool.query(
      `SELECT multirange_count(received) AS ranges, pg_column_size(received) < 100 AS small
       FROM tracks JOIN calls ON calls.id = call WHERE call_id = 'jump'`,
    )
    assert.deepEqual(rows, [{ ranges: 2, small: true }])

    await completeCall(url, 'jump')
    await until('the call is archived', async () => {
      const { body } = await getCall(url, 'jump')
      return body.status === 'ARCHIVED'
    })
    assert.equal(gateways.at(0).pid, pid)
    await assertInvariants(database.pool, pbx.history)
  })

test('7.3 1,500 jumps, more than are kept one by one, keep the account exact', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  const sequences = Array.from({ length: 1_500 }, (_, index) => (index * 614_889_782_588) % 2 ** 53)
  await Promise.all(
    sequences.map((sequence) => pbx.deliver({ callId: 'holes', sequence, data: `${sequence}` })),
  )
  const { body: call } = await getCall(gateways.at(0).url, 'holes')
  assert.equal(call.total_packets, sequences.length)
  assert.equal(call.missing_count, Math.max(...sequences) + 1 - sequences.length)
  await assertInvariants(database.pool, pbx.history)
})
