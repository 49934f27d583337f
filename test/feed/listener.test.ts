// The connection on which a gateway listens for what others publish: it wakes, and nothing depends on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoHoles, connectFeed } from '../support/feed-client.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, storeCalls } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

/** The process of the listening connection. */
async function listener(): Promise<number | undefined> {
  const { rows } = await database.pool.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
       AND application_name = 'ai-pbx-gateway feed listener' AND query LIKE 'LISTEN%'`,
  )
  return rows[0]?.pid
}

test('events arrive while the listening connection is killed, again and again, and after', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  for (const round of [1, 2, 3]) {
    const pid = await until('the gateway listens', listener)
    const { rows } = await database.pool.query('SELECT pg_terminate_backend($1)', [pid])
    assert.equal(rows.length, 1)
    // Written by nobody who would wake this gateway.
    await storeCalls(database.pool, callIds(`killed-${round}`, 5))
    await sendPacket(url, `own-${round}`, 1)
    await client.sees(`killed-${round}-4`, 'IN_PROGRESS')
    await client.sees(`own-${round}`, 'IN_PROGRESS')
    const next = await until('it listens again', async () => {
      const now = await listener()
      return now !== pid && now
    })
    assert.notEqual(next, pid)
  }
  assertNoHoles(client.events(), start)
})

test('when all connections of the gateway are killed at once, the feed goes on without a hole', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  await sendPacket(url, 'survivor', 1)
  await client.sees('survivor', 'IN_PROGRESS')
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'ai-pbx-gateway %'
       AND application_name <> 'ai-pbx-gateway test'`,
  )
  await until('the completion is taken', async () => {
    return (await completeCall(url, 'survivor')).status === 200
  })
  await client.sees('survivor', 'ARCHIVED')
  assertNoHoles(client.events(), start)
  await until('the gateway listens again', listener)
})
