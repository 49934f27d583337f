// Streams of media in a real database: which call they belong to, what their reconnects leave, how calls end.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createPool, type Pool } from '../../../src/database/pool.ts'
import { MediaConnection } from '../../../src/intake/media/connection.ts'
import type { MediaStream, StreamStart } from '../../../src/intake/media/protocol.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { connect, createDatabase, databaseUrl, type TestDatabase } from '../../support/database.ts'
import { openMediaParts } from '../../support/media-parts.ts'
import { until } from '../../support/until.ts'

const logger = createLogger({ level: 'silent', pretty: false })
const frame = new Uint8Array(160).fill(7)
const packetMs = 20
const usual: StreamStart = {
  callId: 'CALL',
  streamId: 'S',
  format: { encoding: 'PCMU', rate: 8_000 },
  channels: ['mixed'],
  loss: 'clock',
}

/** The media of a gateway. */
function openMedia(pool: Pool) {
  const { parts, ...rest } = openMediaParts(pool)
  return {
    ...rest,
    /** Begins a stream on a connection of its own. */
    begin: (callId: string, change: Partial<StreamStart> = {}) => {
      const connection = new MediaConnection(parts, 'test')
      return { connection, stream: connection.start({ ...usual, callId, ...change }) }
    },
    connection: () => new MediaConnection(parts, 'test'),
  }
}

function play(stream: MediaStream, packets: number): void {
  for (let packet = 0; packet < packets; packet += 1) stream.audio(frame)
}

/** What each track of a call has received, as `mixed {[1,11)}`. */
async function tracks({ pool }: TestDatabase, callId: string): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT track || ' ' || received AS text FROM tracks JOIN calls ON calls.id = tracks.call
     WHERE call_id = $1 ORDER BY track`,
    [callId],
  )
  return rows.map(({ text }) => text)
}

async function silences({ pool }: TestDatabase, callId: string) {
  const { rows } = await pool.query(
    `SELECT track, before_sequence, milliseconds, cause
     FROM silences JOIN calls ON calls.id = silences.call WHERE call_id = $1 ORDER BY 2, 1`,
    [callId],
  )
  return rows
}

async function status({ pool }: TestDatabase, callId: string): Promise<string | undefined> {
  const { rows } = await pool.query('SELECT status FROM calls WHERE call_id = $1', [callId])
  return rows[0]?.status
}

/** The streams of a call, as `stopped {mixed}`; the open ones end as `null`. */
async function streams({ pool }: TestDatabase, callId: string): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT coalesce(ended_by, 'open') || ' ' || tracks::text AS text
     FROM media_streams JOIN calls ON calls.id = call WHERE call_id = $1 ORDER BY media_streams.id`,
    [callId],
  )
  return rows.map(({ text }) => text)
}

test('a call that comes back goes on, with a silence as long as it was away', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const first = media.begin('CALL')
  play(first.stream, 10)
  await first.connection.over({})
  assert.equal(await status(database, 'CALL'), 'IN_PROGRESS')

  const awayMs = 9_000
  const left = performance.now()
  await database.pool.query(
    `UPDATE tracks SET last_packet_at = clock_timestamp() - interval '${awayMs} ms'`,
  )
  const second = media.begin('CALL')
  play(second.stream, 1)
  second.stream.stopped()
  await second.connection.over({})
  const tookMs = performance.now() - left

  assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,12)}'])
  const [silence, ...others] = await silences(database, 'CALL')
  assert.deepEqual(others, [])
  assert.equal(silence.cause, 'reconnect')
  assert.equal(silence.before_sequence, 11)
  // It is counted from when its last packet was stored; the packet that came back holds 20 ms of it.
  const differenceMs = silence.milliseconds - (awayMs - packetMs)
  assert.ok(Math.abs(differenceMs) <= tookMs, `${differenceMs} ms in a test of ${tookMs} ms`)
  assert.equal(await status(database, 'CALL'), 'COMPLETED')
  assert.equal(media.completed(), 1)
  assert.deepEqual(await streams(database, 'CALL'), ['disconnected {mixed}', 'stopped {mixed}'])
})

test('two sockets with a track each are one call, which ends with the second of them', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const customer = media.begin('CALL', { channels: ['inbound'], streamId: 'A' })
  const agent = media.begin('CALL', { channels: ['outbound'], streamId: 'B' })
  play(customer.stream, 10)
  play(agent.stream, 20)
  customer.stream.stopped()
  await customer.connection.over({})
  assert.equal(await status(database, 'CALL'), 'IN_PROGRESS')
  play(agent.stream, 5)
  agent.stream.stopped()
  await agent.connection.over({})
  assert.equal(await status(database, 'CALL'), 'COMPLETED')
  assert.deepEqual(await tracks(database, 'CALL'), ['inbound {[1,11)}', 'outbound {[1,26)}'])
  assert.equal(media.completed(), 1)
})

suite('a track that a second socket claims', () => {
  test('goes on in it, when the first was about to end', async () => {
    await using database = await createDatabase()
    await using media = openMedia(database.pool)
    const first = media.begin('CALL')
    play(first.stream, 10)
    await until('it is stored', async () => (await tracks(database, 'CALL'))[0] !== undefined)
    const second = media.begin('CALL')
    play(second.stream, 10)
    await first.connection.over({})
    second.stream.stopped()
    await second.connection.over({})
    assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,21)}'])
  })

  test('is another call, as long as the first goes on: no audio is mixed up or lost', async () => {
    await using database = await createDatabase()
    await using media = openMedia(database.pool)
    const first = media.begin('CALL')
    const playing = setInterval(() => play(first.stream, 1), 20)
    await until('it is stored', async () => (await tracks(database, 'CALL'))[0] !== undefined)
    const second = media.begin('CALL')
    play(second.stream, 10)
    second.stream.stopped()
    await second.connection.over({})
    clearInterval(playing)
    await first.connection.over({})
    assert.deepEqual(await tracks(database, 'CALL~2'), ['mixed {[1,11)}'])
    assert.equal(await status(database, 'CALL~2'), 'COMPLETED')
    assert.equal(await status(database, 'CALL'), 'IN_PROGRESS')
  })

  test('goes on in it, when the first is dead: quiet for a while, and never closed', async () => {
    await using database = await createDatabase()
    await using media = openMedia(database.pool)
    const dead = media.begin('CALL')
    play(dead.stream, 10)
    await until('it is stored', async () => (await tracks(database, 'CALL'))[0] !== undefined)
    const second = media.begin('CALL')
    play(second.stream, 10)
    second.stream.stopped()
    await second.connection.over({})
    assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,21)}'])
    assert.deepEqual(await streams(database, 'CALL'), ['replaced {mixed}', 'stopped {mixed}'])
    assert.equal(await status(database, 'CALL'), 'COMPLETED')
  })
})

test('a stream whose call is over goes on in one of its own, and both streams end', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const { stream, connection } = media.begin('CALL')
  play(stream, 10)
  await until('it is stored', async () => (await tracks(database, 'CALL'))[0] === 'mixed {[1,11)}')
  await database.pool.query(`SELECT complete_call('CALL', 'completed', 0)`)
  await database.pool.query(`UPDATE calls SET sealed_at = now() WHERE call_id = 'CALL'`)
  play(stream, 5)
  await until(
    'it has one of its own',
    async () => (await tracks(database, 'CALL~2'))[0] !== undefined,
  )
  play(stream, 5)
  stream.stopped()
  await connection.over({})
  assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,11)}'])
  assert.deepEqual(await tracks(database, 'CALL~2'), ['mixed {[1,11)}'])
  assert.deepEqual(await streams(database, 'CALL'), ['disconnected {mixed}'])
  assert.deepEqual(await streams(database, 'CALL~2'), ['stopped {mixed}'])
})

test('a stream of another format is another call: a track has one format', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const first = media.begin('CALL')
  play(first.stream, 10)
  await first.connection.over({})
  const second = media.begin('CALL', { format: { encoding: 'L16', rate: 16_000 } })
  play(second.stream, 10)
  await second.connection.over({})
  assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,11)}'])
  assert.deepEqual(await tracks(database, 'CALL~2'), ['mixed {[1,11)}'])
})

test('a database that is away at the start loses nothing', async () => {
  await using database = await createDatabase()
  const name = new URL(database.url).pathname.slice(1)
  await using admin = await connect(databaseUrl())
  const pool = createPool(database.url, 'media', 4, logger)
  await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`)
  {
    await using media = openMedia(pool)
    const connection = media.connection()
    connection.keep(frame)
    connection.keep(frame)
    const stream = connection.start(usual)
    play(stream, 100)
    stream.dtmf('5')
    stream.stopped()
    const over = connection.over({})
    await assert.rejects(pool.query('SELECT'))
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`)
    await over
  }
  await pool.end()
  assert.deepEqual(await tracks(database, 'CALL'), ['mixed {[1,103)}'])
  assert.equal(await status(database, 'CALL'), 'COMPLETED')
  const { rows } = await database.pool.query(
    `SELECT data->>'digit' AS digit FROM events WHERE data->>'event' = 'dtmf'`,
  )
  assert.deepEqual(rows, [{ digit: '5' }])
})

test('what a PBX says of a call may be any text', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const odd = { 'zero\0': 'a\0b', half: 'x\ud800y', escaped: '\\u0000', emoji: '📞' }
  const { stream, connection } = media.begin('CALL', { streamId: 'a\0b', metadata: odd })
  play(stream, 1)
  stream.note('said', odd)
  stream.stopped(odd)
  await connection.over({})
  assert.equal(await status(database, 'CALL'), 'COMPLETED')
  const { rows } = await database.pool.query('SELECT metadata, stream_id FROM media_streams')
  const kept = { 'zero\ufffd': 'a\ufffdb', half: 'x\ufffdy', escaped: '\\u0000', emoji: '📞' }
  assert.deepEqual(rows, [{ metadata: kept, stream_id: 'a\ufffdb' }])
})

test('audio before its stream is kept, in its place and with its time, up to 1 MiB', async () => {
  await using database = await createDatabase()
  await using media = openMedia(database.pool)
  const connection = media.connection()
  for (let packet = 0; packet < 10_000; packet += 1) connection.keep(frame)
  const stream = connection.start(usual)
  const begun = Date.now() / 1_000
  stream.audio(frame)
  stream.stopped()
  await connection.over({})
  const kept = Math.floor(2 ** 20 / frame.length)
  assert.deepEqual(await tracks(database, 'CALL'), [`mixed {[1,${kept + 2})}`])
  const { rows } = await database.pool.query('SELECT timestamps[1] AS at FROM segments LIMIT 1')
  assert.ok(rows[0].at <= begun)
})
