// Races around the end of a call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'

test('a call completed 50 times at once over two gateways is completed once', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, { COMPLETION_GRACE_SECONDS: '3600' })
  using pbx = createSender(gateways.urls)
  for (let round = 0; round < 10; round += 1) {
    const callId = `call-${round}`
    await pbx.deliver({ callId, sequence: 1, data: 'good bye' })
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) => pbx.complete(gateways.at(number % 2).url, callId)),
    )
    for (const answer of answers) assert.deepEqual(answer, { ...answers[0], status: 200 })
    assert.equal(answers[0]?.body.status, 'COMPLETED')
  }
  const { rows } = await database.pool.query(
    `SELECT DISTINCT count(*) AS transitions FROM events
     WHERE kind = 'transition' AND status = 'COMPLETED' GROUP BY call`,
  )
  assert.deepEqual(rows, [{ transitions: 1 }])
  await assertInvariants(database.pool, pbx.history)
})

test('packets that race the completion of their call are counted or refused', async (t) => {
  const [rounds, atOnce, most] = [1_000, 20, 200]
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  let next = 0

  /** Two senders go on until they are refused; the call is completed under way. */
  async function race(callId: string): Promise<void> {
    await pbx.deliver({ callId, sequence: 1, data: 'w1' })
    async function sendOn(place: number): Promise<void> {
      for (let sequence = 2 + place; sequence < most; sequence += 2) {
        const url = gateways.at(place).url
        const { status } = await pbx.send(url, { callId, sequence, data: `w${sequence}` })
        if (status === 409) return
        assert.equal(status, 202, callId)
      }
      assert.fail(`${callId} took packets for ever`)
    }
    await Promise.all([sendOn(0), sendOn(1), pbx.hangUp(callId)])
  }
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < rounds) await race(`race-${next++}`)
    }),
  )
  await untilArchived(database, rounds)

  t.diagnostic(
    `${count(pbx.history, 'acknowledged')} packets counted, ` +
      `${count(pbx.history, 'refused')} refused`,
  )
  assert.equal(count(pbx.history, 'unknown'), 0)
  assert.equal(count(pbx.history, 'refused'), 2 * rounds)
  await assertInvariants(database.pool, pbx.history)
  // What was acknowledged was also heard: the transcript has the text of all packets stored, in
  // order.
  const { rows } = await database.pool.query<{ call_id: string; transcription: string }>(
    'SELECT call_id, transcription FROM calls',
  )
  const counted = pbx.history.filter(({ outcome }) => outcome === 'acknowledged')
  const byCall = Map.groupBy(counted, ({ callId }) => callId)
  for (const { call_id, transcription } of rows) {
    const inOrder = byCall.get(call_id)?.toSorted((a, b) => a.sequence - b.sequence) ?? []
    assert.equal(transcription, inOrder.map(({ data }) => data).join(' '), call_id)
  }
})
