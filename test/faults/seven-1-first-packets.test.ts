// Fault 1: the first packets of a call, sent at once, were answered 500 and lost (check, then
// insert).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'

test('7.1 two first packets at the same instant are both stored, once, in 200 rounds', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  for (let round = 0; round < 200; round += 1) {
    const callId = `new-${round}`
    const answers = await Promise.all(
      gateways.urls().map((url, place) => {
        const sequence = place + 1
        return pbx.send(url, { callId, sequence, data: `${callId} ${sequence}` })
      }),
    )
    assert.deepEqual(
      answers.map(({ status, duplicate }) => ({ status, duplicate })),
      [
        { status: 202, duplicate: false },
        { status: 202, duplicate: false },
      ],
      callId,
    )
  }
  const { rows } = await database.pool.query(
    `SELECT count(*) AS calls, sum(packets) AS packets, sum(duplicates) AS duplicates,
       count(*) FILTER (WHERE received = '{[1,3)}') AS whole
     FROM calls JOIN tracks ON call = calls.id`,
  )
  assert.deepEqual(rows, [{ calls: 200, packets: '400', duplicates: '0', whole: 200 }])
  await assertInvariants(database.pool, pbx.history)
})

test('7.1 the same first packet, sent twice at the same instant, is stored once', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  for (let round = 0; round < 50; round += 1) {
    const callId = `twin-${round}`
    const answers = await Promise.all(
      gateways.urls().map((url, place) => pbx.send(url, { callId, sequence: 1, data: `${place}` })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202],
    )
    assert.equal(answers.filter(({ duplicate }) => duplicate).length, 1, callId)
  }
  await assertInvariants(database.pool, pbx.history)
})

test('7.1 all packets of twenty new calls, sent at once to two gateways, are stored', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => {
      const [callId, sequence] = [`burst-${index % 20}`, 1 + Math.floor(index / 20)]
      const url = gateways.at(index % 2 === 0 ? 0 : 1).url
      return pbx.send(url, { callId, sequence, data: `${callId} ${sequence}` })
    }),
  )
  assert.deepEqual(
    answers.filter(({ status }) => status !== 202),
    [],
  )
  await database.pool.query('SELECT settle_journals()')
  const { rows } = await database.pool.query(
    "SELECT DISTINCT received::text, packets, duplicates FROM tracks WHERE track = 'mixed'",
  )
  assert.deepEqual(rows, [{ received: '{[1,51)}', packets: 50, duplicates: 0 }])
  await assertInvariants(database.pool, pbx.history)
})
