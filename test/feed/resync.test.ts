// WebSockets that come back with a position of no use are told so; filters let through what was asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectFeed } from '../support/feed-client.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { storeCalls } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

/** The position of the newest event that everybody has heard of. */
async function head(): Promise<number> {
  await using client = await connectFeed(url)
  return client.position()
}

test('a position beyond the head is answered by resync, and then what is new', async () => {
  await using client = await connectFeed(url, `/ws?after=${(await head()) + 1_000}`)
  const resync = await until('resync', () => client.messages.find(({ type }) => type === 'resync'))
  assert.equal(resync.position, await head())
  await sendPacket(url, 'beyond', 1)
  await client.sees('beyond', 'IN_PROGRESS')
})

test('a position before the oldest event that is left is answered by resync', async () => {
  await storeCalls(database.pool, ['gone-1', 'gone-2', 'gone-3'])
  await storeCalls(database.pool, ['left'])
  await database.pool.query('NOTIFY gateway_feed')
  const newest = await until('they are published', async () => (await head()) >= 4 && head())
  await database.pool.query("DELETE FROM calls WHERE call_id <> 'left'")
  await using client = await connectFeed(url, '/ws?after=1')
  const resync = await until('resync', () => client.messages.find(({ type }) => type === 'resync'))
  assert.equal(resync.position, newest)
  // Who knows nothing has missed nothing.
  await using fresh = await connectFeed(url, '/ws?after=0')
  await fresh.sees('left', 'IN_PROGRESS')
  assert.ok(fresh.messages.every(({ type }) => type !== 'resync'))
})

test('filters let through one call, one state with those that leave it, or one type', async () => {
  await using all = await connectFeed(url)
  await using ofCall = await connectFeed(url, '/ws?call=ws-1')
  await using ofStatus = await connectFeed(url, '/ws/desk?status=COMPLETED')
  await using ofType = await connectFeed(url, '/ws?type=ai_result')
  const start = all.position()
  for (const callId of ['ws-1', 'ws-2']) {
    await sendPacket(url, callId, 1)
    await completeCall(url, callId)
    await all.sees(callId, 'ARCHIVED')
  }
  await using caughtUp = await connectFeed(url, `/ws?after=${start}&call=ws-1`)
  await ofStatus.sees('ws-2', 'PROCESSING_AI')
  await ofType.sees('ws-2', 'ai_result')
  await caughtUp.sees('ws-1', 'ARCHIVED')
  const ofTheCall = all.events().filter(({ call_id }) => call_id === 'ws-1')
  assert.deepEqual(ofCall.events(), ofTheCall)
  assert.deepEqual(caughtUp.events(), ofTheCall)
  assert.deepEqual(
    ofStatus.events().map(({ call_id, status }) => `${call_id} ${status}`),
    ['ws-1', 'ws-2'].flatMap((id) => [`${id} COMPLETED`, `${id} PROCESSING_AI`]),
  )
  assert.deepEqual(
    ofType.events().map(({ call_id }) => call_id),
    ['ws-1', 'ws-2'],
  )
})
