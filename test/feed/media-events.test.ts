// What happens on the media of a call, as supervisors hear it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noteMediaEvent, recordSilences } from '../../src/calls/media-streams.ts'
import { assertNoHoles, connectFeed, type FeedEvent, nameOf } from '../support/feed-client.ts'
import { completeCall, post, sendPacket } from '../support/gateway.ts'
import { beginStream, endStream, storeMedia } from '../support/media.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const { pool } = database

/** The media events among others. */
function mediaEvents(events: readonly FeedEvent[]): FeedEvent[] {
  return events.filter(({ type }) => type === 'call_event')
}

test('media events come in their place among the others, live and again after a reconnect', async () => {
  await using client = await connectFeed(url)
  const start = client.position()
  const stream = await beginStream(pool, 'media', {
    tracks: ['inbound', 'outbound'],
    metadata: { from: '+15550100' },
  })
  await storeMedia(pool, 'media', 'inbound', 1, 3)
  await noteMediaEvent(pool, stream.call, JSON.stringify({ event: 'dtmf', digit: '5' }))
  await recordSilences(pool, stream.call, ['inbound'], [3], [1240], ['clock'])
  await noteMediaEvent(pool, stream.call, JSON.stringify({ event: 'paused' }))
  await noteMediaEvent(pool, stream.call, JSON.stringify({ event: 'resumed' }))
  const swap = await post(`${url}/v1/call/media/swap`)
  assert.equal(swap.status, 200)
  await endStream(pool, stream, 'stopped')
  await client.sees('media', 'ARCHIVED')

  const events = client.events()
  assertNoHoles(events, start)
  assert.deepEqual(
    events.map((event) => (event.type === 'call_event' ? event.event : nameOf(event))),
    [
      'IN_PROGRESS',
      'stream_started',
      'dtmf',
      'no_audio',
      'paused',
      'resumed',
      'tracks_swapped',
      'stream_ended',
      'COMPLETED',
      'PROCESSING_AI',
      'ai_result',
      'ARCHIVED',
    ],
  )
  const told = mediaEvents(events)
  for (const event of told) {
    assert.deepEqual(Object.keys(event), [
      'type',
      'event',
      'data',
      'call_id',
      'timestamp',
      'position',
    ])
    assert.equal(event.call_id, 'media')
  }
  const format = { encoding: 'PCMU', rate: 8000, clock: 'sender' }
  const stream_id = 'MZ1'
  assert.deepEqual(
    told.map(({ data }) => data),
    [
      {
        protocol: 'twilio',
        stream_id,
        tracks: ['inbound', 'outbound'],
        format,
        metadata: { from: '+15550100' },
      },
      { digit: '5' },
      { track: 'inbound', before_sequence: 3, milliseconds: 1240, cause: 'clock' },
      {},
      {},
      { swapped: true },
      { protocol: 'twilio', stream_id, by: 'stopped' },
    ],
  )

  const middle = told[2]?.position ?? 0
  await using returning = await connectFeed(url, `/ws?after=${middle}`)
  assert.deepEqual(
    await returning.received(events.length - (middle - start)),
    events.filter(({ position }) => position > middle),
  )
})

test('a swap is heard at once, once, and is no transition: the counts of calls stay', async () => {
  await using client = await connectFeed(url)
  await sendPacket(url, 'counted', 1)
  for (const swapped of [true, true, false]) await post(`${url}/v1/call/counted/swap`, { swapped })
  await sendPacket(url, 'counted-after', 1)
  await client.sees('counted-after', 'IN_PROGRESS')
  const told = mediaEvents(client.events()).filter(({ call_id }) => call_id === 'counted')
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ swapped: true }, { swapped: false }],
  )
  const total = async (status: string) => {
    const reply = await fetch(`${url}/v1/call/history?status=${status}`)
    return ((await reply.json()) as { total: number }).total
  }
  const { rows } = await pool.query<{ calls: number }>(
    `SELECT count(*) AS calls FROM calls WHERE status = 'IN_PROGRESS'`,
  )
  assert.equal(await total('IN_PROGRESS'), rows[0]?.calls)
})

test('a result that is read again after a swap has the roles of now', async () => {
  await using client = await connectFeed(url)
  await sendPacket(url, 'result', 1, 'Customer: I am furious. \nAgent: How wonderful, thank you.')
  await completeCall(url, 'result')
  const before = await client.sees('result', 'ai_result')
  assert.match(String(before.transcription), /^Customer: I am furious/)
  assert.equal(typeof before.sentiment, 'string')
  await client.sees('result', 'ARCHIVED')
  await post(`${url}/v1/call/result/swap`)
  await using again = await connectFeed(url, `/ws?after=${before.position - 1}`)
  const after = await until('the result', () =>
    again.events().find(({ position }) => position === before.position),
  )
  assert.equal(after.transcription, 'Agent: I am furious. \nCustomer: How wonderful, thank you.')
  assert.deepEqual([after.sentiment, after.summary], [before.sentiment, null])
})
