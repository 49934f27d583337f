// The timeline of calls in real states, from a gateway.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { noteMediaEvent, recordSilences } from '../../src/calls/media-streams.ts'
import { connect } from '../support/database.ts'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
import { beginStream, endStream, storeMedia } from '../support/media.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const { pool } = database
/** Its calls stay where they are. */
const { gateway: patient, database: patientDatabase } = await sharedGateway({
  COMPLETION_GRACE_SECONDS: '3600',
  RECONNECT_GRACE_SECONDS: '3600',
  PACKET_TIMEOUT_SECONDS: '7200',
})
const { gateway: failing } = await sharedGateway({
  AI_SERVICE_FAILURE_RATE: '1',
  MAX_RETRY_ATTEMPTS: '2',
  REDRIVE_INITIAL_WAIT: '3600',
  REDRIVE_MAX_WAIT: '3600',
})

type Entry = { at: string; kind: string; text: string; data: Record<string, unknown> }
type Timeline = {
  call_id: string
  status: string
  why: string | null
  left_out: number
  entries: Entry[]
}

async function timelineOf(gatewayUrl: string, callId: string): Promise<Timeline> {
  const response = await fetch(`${gatewayUrl}/v1/call/${callId}/timeline`)
  assert.equal(response.status, 200)
  const timeline = (await response.json()) as Timeline
  assert.equal(timeline.call_id, callId)
  const times = timeline.entries.map(({ at }) => at)
  assert.deepEqual(times, times.toSorted(), 'in order')
  for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  return timeline
}

async function reached(gatewayUrl: string, callId: string, status: string): Promise<void> {
  await until(`${callId} is ${status}`, async () => {
    const { body } = await getCall(gatewayUrl, callId)
    return body.status === status
  })
}

suite('the timeline', () => {
  test('tells a whole life in order, and has no reason where there is a transcript', async () => {
    await sendPacket(url, 'life', 1, 'a wonderful day')
    await sendPacket(url, 'life', 3, 'indeed')
    await completeCall(url, 'life')
    await reached(url, 'life', 'ARCHIVED')
    const { status, why, left_out, entries } = await timelineOf(url, 'life')
    assert.deepEqual([status, why, left_out], ['ARCHIVED', null, 0])
    assert.deepEqual(
      entries.map(({ kind, text }) => [kind, text.replace(/by .*\)/, 'by …)')]),
      [
        ['state', 'The call began.'],
        ['first_packet', 'The first packet on mixed was stored.'],
        ['last_packet', 'The newest packet on mixed was stored: 2 in all, 1 missing (2).'],
        ['state', 'The call is over: somebody said so.'],
        ['state', 'The analysis begins: packets are not taken any more.'],
        ['attempt_started', 'Attempt 1 to analyse the call began (mock, by …)'.concat('.')],
        ['result', 'The result of the analysis was stored.'],
        ['state', 'The call is archived.'],
      ],
    )
    assert.deepEqual(entries[2]?.data, {
      track: 'mixed',
      packets: 2,
      missing: '2',
      missing_count: 1,
      late: 0,
      duplicates: 0,
    })
  })

  test('tells what happened on the media, and when the first packet really came', async () => {
    const stream = await beginStream(pool, 'media', { metadata: { from: '+15550100' } })
    await storeMedia(pool, 'media', 'inbound', 1, 5)
    await noteMediaEvent(pool, stream.call, JSON.stringify({ event: 'dtmf', digit: '5' }))
    await recordSilences(pool, stream.call, ['inbound'], [5], [1240], ['clock'])
    await post(`${url}/v1/call/media/swap`)
    await endStream(pool, stream, 'stopped')
    await reached(url, 'media', 'ARCHIVED')
    const { entries } = await timelineOf(url, 'media')
    assert.deepEqual(
      entries.map(({ kind, data }) => (kind === 'media' ? data.event : kind)),
      [
        'state',
        'stream_started',
        'first_packet',
        'last_packet',
        'dtmf',
        'no_audio',
        'tracks_swapped',
        'stream_ended',
        'state',
        'state',
        'attempt_started',
        'result',
        'state',
      ],
    )
    assert.deepEqual(entries[1]?.data.metadata, { from: '+15550100' })
  })

  test('tells the newest thousand things, and how many came before them', async () => {
    await sendPacket(patient.url, 'long', 1)
    await patientDatabase.pool.query(
      `SELECT note_media_event(id, jsonb_build_object('event', 'dtmf', 'digit', number % 10))
       FROM calls, generate_series(1, 1500) AS number WHERE call_id = 'long'`,
    )
    const { left_out: leftOut, entries } = await timelineOf(patient.url, 'long')
    // The beginning of the call, its first packet and its newest.
    assert.equal(leftOut, 1_500 + 3 - 1_000)
    assert.equal(entries.length, 1_000)
    assert.equal(entries.at(-1)?.text, 'The key 0 was pressed.')
  })

  test('of a call that nobody knows is a 404 that names it', async () => {
    const response = await fetch(`${url}/v1/call/nobody/timeline`)
    assert.equal(response.status, 404)
    assert.deepEqual(await response.json(), {
      detail: 'Call nobody not found',
      code: 'call_not_found',
    })
  })
})

suite('why there is no transcript', () => {
  test('while a call is in progress', async () => {
    await sendPacket(patient.url, 'live', 1)
    const { why } = await timelineOf(patient.url, 'live')
    assert.match(why ?? '', /^The call is in progress; .* no packet comes for 7200 s\.$/)
  })

  test('while a call waits for its media to come back', async () => {
    const stream = await beginStream(patientDatabase.pool, 'lost')
    await storeMedia(patientDatabase.pool, 'lost', 'inbound', 1, 1)
    assert.match((await timelineOf(patient.url, 'lost')).why ?? '', /^The call is in progress; /)
    await endStream(patientDatabase.pool, stream, 'disconnected')
    const { why } = await timelineOf(patient.url, 'lost')
    const [, ended, over] =
      /its media ended at (\S+)\. Unless they come back, it is over at (\S+),/.exec(why ?? '') ?? []
    assert.equal(Date.parse(over ?? '') - Date.parse(ended ?? ''), 3_600_000)
  })

  test('in the grace after the end', async () => {
    await sendPacket(patient.url, 'grace', 1)
    await completeCall(patient.url, 'grace')
    const { why } = await timelineOf(patient.url, 'grace')
    assert.match(why ?? '', /^The call is over since \S+; its last packets may still come until /)
  })

  test('when nothing was ever heard', async () => {
    await endStream(pool, await beginStream(pool, 'mute'), 'stopped')
    await reached(url, 'mute', 'ARCHIVED')
    const { why, entries } = await timelineOf(url, 'mute')
    assert.equal(why, 'Nothing was heard: no packet came.')
    assert.ok(entries.every(({ kind }) => !kind.endsWith('_packet')))
  })

  test('when the analysis failed: the real reason, and when it is tried anew', async () => {
    await sendPacket(failing.url, 'fails', 1)
    await completeCall(failing.url, 'fails')
    await reached(failing.url, 'fails', 'FAILED')
    const { why, entries } = await timelineOf(failing.url, 'fails')
    const start =
      'The analysis failed after 2 attempts: mock: 503 Service Unavailable. It is tried '
    assert.ok(why?.startsWith(`${start}anew by itself at `), `${why}`)
    const failed = entries.at(-1)
    const next = String(failed?.data.next_attempt_at)
    assert.ok(why?.includes(next), `${why} ${next}`)
    assert.equal(
      failed?.text,
      `The analysis failed: mock: 503 Service Unavailable; it is tried anew at ${next}.`,
    )
    const attempts = entries.filter(({ kind }) => kind.startsWith('attempt'))
    assert.deepEqual(
      attempts.map(({ kind, data }) => [kind, data.attempt]),
      [
        ['attempt_started', 1],
        ['attempt_ended', 1],
        ['attempt_started', 2],
        ['attempt_ended', 2],
      ],
    )
  })

  test('while the AI is at work', async () => {
    const { gateway: slow } = await sharedGateway({
      AI_SERVICE_MIN_LATENCY: '60',
      AI_SERVICE_MAX_LATENCY: '60',
    })
    await sendPacket(slow.url, 'slow', 1)
    await completeCall(slow.url, 'slow')
    await reached(slow.url, 'slow', 'PROCESSING_AI')
    const { why } = await timelineOf(slow.url, 'slow')
    assert.match(why ?? '', /^The AI is at work: attempt 1 is under way \(by \S+\)\.$/)
  })
})

test('times are in UTC whatever the time zone of the database', async () => {
  const { gateway: own, database: elsewhere } = await sharedGateway({
    AI_SERVICE_FAILURE_RATE: '1',
    MAX_RETRY_ATTEMPTS: '1',
    REDRIVE_INITIAL_WAIT: '3600',
    REDRIVE_MAX_WAIT: '3600',
  })
  await using client = await connect(elsewhere.url)
  await client.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kolkata''', current_database()); END $$`,
  )
  await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() ' +
      'AND pid <> pg_backend_pid()',
  )
  await until('a packet is stored', async () => {
    const { status } = await sendPacket(own.url, 'far', 1)
    return status === 202
  })
  await completeCall(own.url, 'far')
  await reached(own.url, 'far', 'FAILED')
  const { entries } = await timelineOf(own.url, 'far')
  assert.match(entries.at(-1)?.text ?? '', /anew at \S+Z\.$/)
})
