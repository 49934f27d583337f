// The streams of media of a call: how they begin, whose numbers they continue, and what their end means to the call.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { callIdPattern } from '../../src/calls/call-id.ts'
import { recordSilences } from '../../src/calls/media-streams.ts'
import { completeCall, meetDeadlines } from '../../src/calls/statements.ts'
import { readCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import {
  beginStream,
  endStream,
  mediaEventsOf,
  passTime,
  storeMedia,
  times,
} from '../support/media.ts'

const database = await createDatabase()
after(() => database[Symbol.asyncDispose]())
const { pool } = database

async function meet(): Promise<void> {
  await meetDeadlines(pool, 200, times.packetTimeout, times.grace, times.reconnect)
}

async function statusOf(callId: string): Promise<string> {
  return (await readCall(pool, callId)).status
}

/** Whatever a call has of one column, as `completion_cause`. */
async function ofCall(callId: string, column: string): Promise<unknown> {
  const { rows } = await pool.query(`SELECT ${column} AS value FROM calls WHERE call_id = $1`, [
    callId,
  ])
  return rows[0]?.value
}

suite('when the only stream of a call is disconnected', () => {
  test('the call is completed after the grace, and not before', async () => {
    const stream = await beginStream(pool, 'lost')
    await storeMedia(pool, 'lost', 'inbound', 1, 3)
    assert.equal(await endStream(pool, stream, 'disconnected'), false)
    const wait = await ofCall('lost', 'extract(epoch FROM due_at - clock_timestamp())::float8')
    assert.ok(Number(wait) > times.reconnect - 5 && Number(wait) <= times.reconnect, `${wait}`)
    await passTime(pool, stream.call, times.reconnect - 5)
    await meet()
    assert.equal(await statusOf('lost'), 'IN_PROGRESS')
    await passTime(pool, stream.call, 6)
    await meet()
    assert.equal(await statusOf('lost'), 'COMPLETED')
    assert.equal(await ofCall('lost', 'completion_cause'), 'media_ended')
  })

  test('a packet that still comes begins the grace anew', async () => {
    const stream = await beginStream(pool, 'trailing')
    await endStream(pool, stream, 'disconnected')
    await passTime(pool, stream.call, times.reconnect + 1)
    await storeMedia(pool, 'trailing', 'inbound', 1, 1)
    await meet()
    assert.equal(await statusOf('trailing'), 'IN_PROGRESS')
  })

  test('a new stream within the grace continues the call and its numbers', async () => {
    const first = await beginStream(pool, 'back')
    assert.deepEqual([first.bases, first.quiet_ms], [[0], [null]])
    await storeMedia(pool, 'back', 'inbound', 1, 250)
    await endStream(pool, first, 'disconnected')
    const second = await beginStream(pool, 'back', { streamId: 'MZ2' })
    assert.equal(second.call, first.call)
    assert.equal(second.call_id, 'back')
    assert.deepEqual(second.bases, [250])
    assert.ok(second.quiet_ms.every((quiet) => quiet !== null && quiet >= 0))
    await passTime(pool, second.call, times.packetTimeout - 5)
    await meet()
    assert.equal(await statusOf('back'), 'IN_PROGRESS')
  })

  test('a numbered stream goes on with its own numbers, another one behind the last', async () => {
    const numbered = { isNumbered: true, tracks: ['inbound', 'outbound'] as const }
    const first = await beginStream(pool, 'numbered', { ...numbered, streamId: 'one' })
    await storeMedia(pool, 'numbered', 'outbound', 1, 40)
    await endStream(pool, first, 'disconnected')
    const again = await beginStream(pool, 'numbered', { ...numbered, streamId: 'one' })
    assert.deepEqual(again.bases, [0, 0])
    await endStream(pool, again, 'disconnected')
    const other = await beginStream(pool, 'numbered', { ...numbered, streamId: 'two' })
    assert.deepEqual(other.bases, [0, 40])
    await endStream(pool, other, 'disconnected')
    const third = await beginStream(pool, 'numbered', { ...numbered, streamId: 'two' })
    assert.deepEqual(third.bases, [0, 40])
    await storeMedia(pool, 'numbered', 'outbound', 41, 50)
    await endStream(pool, third, 'disconnected')
    const late = await beginStream(pool, 'numbered', { ...numbered, streamId: 'one' })
    assert.deepEqual(late.bases, [0, 50], 'what it says now is no repetition of what two said')
  })

  test('a stream that began just now is no silence, however old the last packet', async () => {
    const first = await beginStream(pool, 'held')
    await storeMedia(pool, 'held', 'inbound', 1, 1)
    await passTime(pool, first.call, times.packetTimeout + 1)
    await endStream(pool, first, 'disconnected')
    const second = await beginStream(pool, 'held', { streamId: 'MZ2' })
    await meet()
    assert.equal(await statusOf('held'), 'IN_PROGRESS')
    await passTime(pool, second.call, times.packetTimeout + 1)
    await meet()
    assert.equal(await ofCall('held', 'completion_cause'), 'silence')
  })
})

test('a stream that nobody ends, since its gateway died, ends its call by silence', async () => {
  const stream = await beginStream(pool, 'orphan')
  await passTime(pool, stream.call, times.reconnect + 1)
  await meet()
  assert.equal(await statusOf('orphan'), 'IN_PROGRESS')
  await passTime(pool, stream.call, times.packetTimeout)
  await meet()
  assert.equal(await statusOf('orphan'), 'COMPLETED')
  assert.equal(await ofCall('orphan', 'completion_cause'), 'silence')
})

test('a stream that the PBX stops completes its call at once, and once', async () => {
  const stream = await beginStream(pool, 'stopped')
  assert.equal(await endStream(pool, stream, 'stopped'), true)
  assert.equal(await statusOf('stopped'), 'COMPLETED')
  assert.equal(await ofCall('stopped', 'completion_cause'), 'media_ended')
  const grace = await ofCall('stopped', 'extract(epoch FROM due_at - completed_at)::float8')
  assert.ok(Math.abs(Number(grace) - times.grace) < 1, `${grace}`)
  assert.equal(await endStream(pool, stream, 'stopped'), false)
  assert.equal(await endStream(pool, stream, 'disconnected'), false)
  assert.deepEqual(
    (await mediaEventsOf(pool, stream.call)).map(({ event, by }) => [event, by]),
    [
      ['stream_started', undefined],
      ['stream_ended', 'stopped'],
    ],
  )
})

for (const [last, completed] of [
  ['stopped', true],
  ['disconnected', false],
] as const)
  test(`of two streams only the last end counts: ${last}`, async () => {
    const callId = `two-${last}`
    const one = await beginStream(pool, callId, { tracks: ['inbound'] })
    const other = await beginStream(pool, callId, { tracks: ['outbound'], streamId: 'MZ2' })
    assert.equal(other.call, one.call)
    assert.equal(await endStream(pool, one, 'stopped'), false)
    await passTime(pool, one.call, times.reconnect + 1)
    await meet()
    assert.equal(await statusOf(callId), 'IN_PROGRESS')
    assert.equal(await endStream(pool, other, last), completed)
    assert.equal(await statusOf(callId), completed ? 'COMPLETED' : 'IN_PROGRESS')
  })

suite('a stream for a call that is over', () => {
  test('belongs to a new call, ~2, then ~3', async () => {
    const first = await beginStream(pool, 'over')
    await endStream(pool, first, 'stopped')
    const second = await beginStream(pool, 'over')
    assert.equal(second.call_id, 'over~2')
    assert.notEqual(second.call, first.call)
    assert.deepEqual(second.bases, [0])
    await endStream(pool, second, 'disconnected')
    assert.equal((await beginStream(pool, 'over')).call_id, 'over~2', 'it continues that one')
    await completeCall(pool, 'over~2', 'endpoint', 0)
    const third = await beginStream(pool, 'over')
    assert.equal(third.call_id, 'over~3')
    const [started] = await mediaEventsOf(pool, third.call)
    assert.equal(started?.continues, 'over')
  })

  test('has a call id that is one, however long the first', async () => {
    const long = 'a'.repeat(128)
    await endStream(pool, await beginStream(pool, long), 'stopped')
    const { call_id: callId } = await beginStream(pool, long)
    assert.equal(callId, `${'a'.repeat(126)}~2`)
    assert.match(callId, new RegExp(callIdPattern))
  })
})

test('a stream of another format than its track has belongs to a call of its own', async () => {
  const first = await beginStream(pool, 'formats')
  const wide = { encoding: 'L16', rate: 16_000, clock: 'arrival' }
  await endStream(pool, first, 'disconnected')
  const second = await beginStream(pool, 'formats', { format: wide })
  assert.equal(second.call_id, 'formats', 'nothing was heard yet')
  await storeMedia(pool, 'formats', 'inbound', 1, 1)
  await endStream(pool, second, 'disconnected')
  assert.equal((await beginStream(pool, 'formats', { format: wide })).call_id, 'formats')
  assert.equal((await beginStream(pool, 'formats')).call_id, 'formats~2')
  const { rows } = await pool.query(
    `SELECT call_id, media_format FROM tracks JOIN calls ON calls.id = tracks.call
     WHERE call_id LIKE 'formats%' ORDER BY call_id`,
  )
  assert.deepEqual(
    rows.map(({ media_format }) => media_format.encoding),
    ['L16', 'PCMU'],
  )
})

test('a silence is kept and told of once, however often it is written', async () => {
  const { call } = await beginStream(pool, 'silences')
  for (let time = 0; time < 2; time += 1)
    await recordSilences(
      pool,
      call,
      ['inbound', 'inbound'],
      [5, 5],
      [1240, 20],
      ['clock', 'paused'],
    )
  const { rows } = await pool.query(
    'SELECT track, before_sequence, cause, milliseconds FROM silences WHERE call = $1 ORDER BY cause',
    [call],
  )
  const silence = { track: 'inbound', before_sequence: 5 }
  const expected = [
    { ...silence, cause: 'clock', milliseconds: 1240 },
    { ...silence, cause: 'paused', milliseconds: 20 },
  ]
  assert.deepEqual(rows, expected)
  const [, ...told] = await mediaEventsOf(pool, call)
  assert.deepEqual(
    told.toSorted((one, other) => String(one.cause).localeCompare(String(other.cause))),
    expected.map((kept) => ({ event: 'no_audio', ...kept })),
  )
})
