// Through a kill and on another gateway: every event exactly once, in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { type EventStream, openStream, type StreamedEvent } from '../support/event-stream.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, eventsPerCall } from '../support/results.ts'
import { until } from '../support/until.ts'

test('a client that resumes elsewhere after a kill -9 hears each event once, in order', async () => {
  const calls = 60
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, { ANALYSIS_LEASE_SECONDS: '0.5' })
  await using opened = new AsyncDisposableStack()
  const heard: StreamedEvent[] = []
  let stream: EventStream = opened.use(await openStream(gateways.at(0).url))
  const ids = callIds('call', calls)

  async function live(some: readonly string[], url: string): Promise<void> {
    await Promise.all(
      some.map(async (callId) => {
        await sendPacket(url, callId, 1)
        await completeCall(url, callId)
      }),
    )
  }

  async function goOn(url: string): Promise<void> {
    heard.push(...stream.events())
    const last = stream.lastId()
    stream = opened.use(await openStream(url, '', { 'last-event-id': last }))
  }

  const first = live(ids.slice(0, 20), gateways.at(1).url)
  await until('some events', () => stream.events().length > 10)
  gateways.at(0).kill('SIGKILL')
  await stream.ended
  await goOn(gateways.at(1).url)
  await first
  await gateways.replace(0)
  // What this gateway does not answer any more is sent again to the other one.
  const second = live(ids.slice(20, 40), gateways.at(1).url).catch(() => {})
  await until('some more', () => stream.events().length > 10)
  gateways.at(1).kill('SIGKILL')
  await stream.ended
  await goOn(gateways.at(0).url)
  await second
  await live(ids.slice(20), gateways.at(0).url)
  for (const callId of ids)
    await until(`the end of ${callId}`, () =>
      [...heard, ...stream.events()].some(
        ({ data }) => data.call_id === callId && data.status === 'ARCHIVED',
      ),
    )
  heard.push(...stream.events())

  const { rows } = await database.pool.query<{ position: number }>(
    'SELECT position FROM events ORDER BY position',
  )
  assert.ok(rows.length >= calls * eventsPerCall)
  assert.deepEqual(
    heard.map(({ id }) => id),
    rows.map(({ position }) => position),
  )
  assert.equal(stream.named('resync').length, 0)
})
