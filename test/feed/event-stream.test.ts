// The feed as Server-Sent Events: a snapshot, then every event after it, with filters, until the gateway stops.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { openStream } from '../support/event-stream.ts'
import { completeCall, sendPacket, startGateway } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway

/** Takes a call to its end, and waits until a stream has told of it. */
async function liveOut(callId: string): Promise<void> {
  await using stream = await openStream(url, `?call=${callId}`)
  await sendPacket(url, callId, 1)
  await completeCall(url, callId)
  await stream.sees(callId, 'ARCHIVED')
}

test('a stream begins with the floor, then tells every event with its call as it is', async () => {
  await sendPacket(url, 'before', 1)
  await using stream = await openStream(url)
  const { headers } = stream.response
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-accel-buffering'], 'no')
  const snapshot = await until('the snapshot', () => stream.all[0])
  assert.equal(snapshot.name, 'snapshot')
  assert.equal(snapshot.id, snapshot.data.position)
  const listed = snapshot.data.calls as { call_id: string }[]
  assert.ok(listed.some(({ call_id }) => call_id === 'before'))

  await sendPacket(url, 'one', 1)
  await completeCall(url, 'one')
  await stream.sees('one', 'ARCHIVED')
  const told = stream.events().filter(({ data }) => data.call_id === 'one')
  assert.deepEqual(
    told.map(({ name, data }) => data.status ?? name),
    ['IN_PROGRESS', 'COMPLETED', 'PROCESSING_AI', 'ai_result', 'ARCHIVED'],
  )
  for (const { id, data } of told) assert.equal(id, data.position)
  const call = told.at(-1)?.data.call as Record<string, unknown>
  assert.equal(call.status, 'ARCHIVED')
  assert.equal(call.said_last, 'packet 1')
  assert.equal(call.mood, 'neutral')
})

test('a tick a second says how busy the gateway is', async () => {
  await using stream = await openStream(url)
  await sendPacket(url, 'ticked', 1)
  const tick = await until('a tick', () =>
    stream.named('tick').find(({ data }) => Number(data.packets_per_second) > 0),
  )
  assert.equal(tick.id, undefined)
  assert.ok(Number(tick.data.live) >= 1)
  assert.ok(Number(tick.data.commit_ms) > 0)
  assert.ok(Number(tick.data.lag_ms) >= 0)
})

test('filters let through one call, one state with those that leave it, or one type', async () => {
  await using ofCall = await openStream(url, '?call=filtered-1')
  await using ofStatus = await openStream(url, '?status=COMPLETED')
  await using ofType = await openStream(url, '?type=ai_result')
  await liveOut('filtered-1')
  await liveOut('filtered-2')
  await ofType.sees('filtered-2', 'ai_result')
  await ofStatus.sees('filtered-2', 'PROCESSING_AI')
  assert.deepEqual(
    new Set(ofCall.events().map(({ data }) => data.call_id)),
    new Set(['filtered-1']),
  )
  assert.equal(ofCall.events().length, 5)
  assert.deepEqual(
    ofStatus
      .events()
      .flatMap(({ data }) =>
        String(data.call_id).startsWith('filtered') ? [`${data.call_id} ${data.status}`] : [],
      ),
    ['filtered-1', 'filtered-2'].flatMap((id) => [`${id} COMPLETED`, `${id} PROCESSING_AI`]),
  )
  assert.deepEqual(
    // Others may have happened between the snapshot, which many share, and the stream.
    ofType
      .events()
      .flatMap(({ name, data }) =>
        String(data.call_id).startsWith('filtered') ? [`${data.call_id} ${name}`] : [],
      ),
    ['filtered-1 ai_result', 'filtered-2 ai_result'],
  )
})

test('a stream that resumes gets what it missed and no snapshot; the header counts before the query', async () => {
  await using stream = await openStream(url)
  await sendPacket(url, 'resumed', 1)
  const first = await stream.sees('resumed', 'IN_PROGRESS')
  await completeCall(url, 'resumed')
  await stream.sees('resumed', 'ARCHIVED')
  const after = stream.events().filter(({ id }) => Number(id) > Number(first.id))
  for (const [query, headers] of [
    [`?after=${first.id}`, {}],
    ['?after=0', { 'last-event-id': String(first.id) }],
  ] as const) {
    await using again = await openStream(url, query, headers)
    await again.sees('resumed', 'ARCHIVED')
    assert.equal(again.named('snapshot').length, 0)
    assert.deepEqual(
      again.events().map(({ id }) => id),
      after.map(({ id }) => id),
    )
  }
})

test('a position beyond the head, or an id that is none of ours, is answered by resync and a snapshot', async () => {
  for (const headers of [{ 'last-event-id': '999999999' }, { 'last-event-id': 'theirs' }]) {
    await using stream = await openStream(url, '', headers)
    const [resync, snapshot] = await until('two events', () => stream.all.length >= 2 && stream.all)
    assert.equal(resync?.name, 'resync')
    assert.equal(snapshot?.name, 'snapshot')
    assert.equal(resync.data.position, snapshot.data.position)
    await liveOut(`resync-${headers['last-event-id']}`)
    await stream.sees(`resync-${headers['last-event-id']}`, 'ARCHIVED')
  }
})

test('what is no filter is refused, and nothing is streamed', async () => {
  for (const query of ['?status=DONE', '?type=tick', '?after=-1', '?call=%20'])
    assert.equal((await fetch(`${url}/v1/events${query}`)).status, 422, query)
  assert.equal((await fetch(`${url}/v1/events`, { method: 'HEAD' })).status, 404)
})

test('streams of workers tell everything, and end with a word when the gateway stops', async () => {
  await using database = await createDatabase()
  await using workers = await startGateway(database.url, { WORKERS: '2' })
  await using one = await openStream(workers.url)
  await using two = await openStream(workers.url)
  await sendPacket(workers.url, 'shared', 1)
  await completeCall(workers.url, 'shared')
  for (const stream of [one, two]) await stream.sees('shared', 'ARCHIVED')
  assert.deepEqual(
    one.events().map(({ id, name }) => [id, name]),
    two.events().map(({ id, name }) => [id, name]),
  )
  workers.kill('SIGTERM')
  for (const stream of [one, two]) {
    await stream.ended
    assert.ok(stream.comments.includes('the gateway restarts'))
  }
  assert.equal(await workers.exited, 0)
})
