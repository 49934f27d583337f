// A snapshot and the events after it are the truth, whenever a client comes and whoever writes meanwhile.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createDatabase } from '../support/database.ts'
import { type EventStream, openStream } from '../support/event-stream.ts'
import { startFleet } from '../support/fleet.ts'
import { layOver, readFloor } from '../support/floor-model.ts'
import { completeCall, post, sendPacket } from '../support/gateway.ts'
import { seededFor } from '../support/seed.ts'
import { until } from '../support/until.ts'

const calls = 60
const steps = 700

/** What changes between two events of a call without one: its packets. */
const silent = ['packets', 'lost_packets', 'lost_ms', 'grade', 'last_packet_at', 'tracks']

for (const erases of [false, true])
  test(`events laid over a snapshot are a fresh snapshot, on two gateways, while calls ${
    erases ? 'are erased' : 'live and die'
  }`, (t) => compare(t, erases))

async function compare(t: TestContext, erases: boolean): Promise<void> {
  const random = seededFor(t)
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, {
    AI_SERVICE_FAILURE_RATE: '0.3',
    AI_SERVICE_MAX_LATENCY: '0.05',
    MAX_RETRY_ATTEMPTS: '2',
    REDRIVE_INITIAL_WAIT: '0.05',
    REDRIVE_MAX_WAIT: '0.1',
  })
  const urls = gateways.urls()
  const anywhere = () => urls[Math.floor(random() * urls.length)] ?? ''
  await using opened = new AsyncDisposableStack()
  const streams: EventStream[] = []
  const open = async (query = '') => {
    const stream = opened.use(await openStream(anywhere(), query))
    streams.push(stream)
  }
  await open()

  const writing: Promise<unknown>[] = []
  for (let step = 0; step < steps; step += 1) {
    const callId = `call-${Math.floor(random() * calls)}`
    const [url, what] = [anywhere(), random()]
    if (what < 0.6) writing.push(sendPacket(url, callId, 1 + Math.floor(random() * 50)))
    else if (what < 0.85) writing.push(completeCall(url, callId))
    else if (what < 0.92) writing.push(post(`${url}/v1/call/${callId}/swap`, {}))
    else if (erases)
      writing.push(fetch(`${url}/v1/call/${callId}?force=true`, { method: 'DELETE' }))
    if (step % 100 === 50) await open()
    if (writing.length >= 12) await Promise.all(writing.splice(0))
  }
  await Promise.all(writing)

  await until('every analysis is done', async () => {
    const { counts } = await readFloor(anywhere())
    return counts.COMPLETED === 0 && counts.PROCESSING_AI === 0 && counts.FAILED === 0
  })
  const fresh = await readFloor(anywhere())
  const { rows } = await database.pool.query('SELECT status, count(*) FROM calls GROUP BY status')
  for (const { status, count } of rows) assert.equal(fresh.counts[status], count)
  assert.equal(streams.length, 8)
  for (const stream of streams) {
    await until('the last event', () => layOver(stream.all).position >= fresh.position)
    const model = layOver(stream.all)
    if (!erases) assert.deepEqual(model.counts, fresh.counts)
    await until('the counts of a tick', () =>
      isDeepStrictEqual(stream.named('tick').at(-1)?.data.counts, fresh.counts),
    )
    const known = [...model.calls.values()].map(settled).toSorted(byCall)
    assert.deepEqual(known, [...fresh.calls].map(settled).toSorted(byCall))
  }
}

type Line = Readonly<Record<string, unknown>>

/** A line without what changes silently while the call is in progress. */
function settled(call: Line): Line {
  if (call.status !== 'IN_PROGRESS') return call
  return Object.fromEntries(Object.entries(call).filter(([name]) => !silent.includes(name)))
}

function byCall(one: Line, other: Line): number {
  return String(one.call_id) < String(other.call_id) ? -1 : 1
}
