import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import {
  announceStream,
  findAnnouncedStream,
  forgetAnnouncedStreams,
} from '../../src/calls/announced-streams.ts'
import { startDeadlines } from '../../src/calls/deadlines.ts'
import { encodings } from '../../src/ledger/media-format.ts'
import { trackNames } from '../../src/ledger/packet.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createDatabase } from '../support/database.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const { pool } = database

async function ask(method: string, uuid: string, body?: unknown) {
  const response = await fetch(`${url}/v1/media/audiosocket/${uuid}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

suite('an announcement', () => {
  test('is kept, found by the listener, read, and taken back', async () => {
    const uuid = randomUUID()
    const put = await ask('PUT', uuid, { call_id: 'CALL-1', track: 'inbound' })
    assert.equal(put.status, 200)
    const { announced_at: at, ...rest } = put.body
    assert.deepEqual(rest, { uuid, call_id: 'CALL-1', track: 'inbound', encoding: null })
    assert.match(at, /^\d{4}-\d\d-\d\dT.*Z$/)
    assert.deepEqual(await ask('GET', uuid), put)
    const [found] = await findAnnouncedStream(pool, uuid)
    assert.deepEqual([found?.call_id, found?.track, found?.encoding], ['CALL-1', 'inbound', null])
    assert.deepEqual(await ask('DELETE', uuid), { status: 204, body: undefined })
    const nothing = {
      status: 404,
      body: { detail: `Nothing was announced for ${uuid}`, code: 'announcement_not_found' },
    }
    assert.deepEqual(await ask('GET', uuid), nothing)
    assert.deepEqual(await ask('DELETE', uuid), nothing)
  })

  test('of the same UUID, in whatever case, replaces the one before', async () => {
    const uuid = randomUUID()
    await ask('PUT', uuid.toUpperCase(), { call_id: 'one', track: 'inbound', encoding: 'PCMU' })
    assert.equal((await ask('GET', uuid)).body.encoding, 'PCMU')
    const { body } = await ask('PUT', uuid, { call_id: 'two', track: 'outbound' })
    assert.deepEqual([body.uuid, body.call_id, body.encoding], [uuid, 'two', null])
    assert.deepEqual((await ask('GET', uuid.toUpperCase())).body, body)
  })

  test('knows every track and every coding of the ledger', async () => {
    for (const track of trackNames)
      for (const encoding of encodings) {
        const { status, body } = await ask('PUT', randomUUID(), {
          call_id: 'words',
          track,
          encoding,
        })
        assert.deepEqual([status, body.track, body.encoding], [200, track, encoding])
      }
  })

  const good = { call_id: 'CALL-1', track: 'inbound' }
  const wrong: readonly (readonly [what: string, uuid: string, body?: unknown])[] = [
    ['no UUID', 'abc', good],
    ['a UUID in braces', `{${randomUUID()}}`, good],
    ['a UUID and more', `${randomUUID()}0`, good],
    ['no body', randomUUID()],
    ['no call', randomUUID(), { track: 'inbound' }],
    ['no track', randomUUID(), { call_id: 'CALL-1' }],
    ['a call id that is none', randomUUID(), { ...good, call_id: 'history' }],
    ['another track', randomUUID(), { ...good, track: 'both' }],
    ['another coding', randomUUID(), { ...good, encoding: 'GSM' }],
  ]
  for (const [what, uuid, body] of wrong)
    test(`with ${what} is refused`, async () =>
      assert.equal((await ask('PUT', uuid, body)).status, 422))
})

test('announcements of more than a day are forgotten, oldest first and not all at once', async () => {
  await using own = await createDatabase()
  const uuids = Array.from({ length: 5 }, () => randomUUID())
  for (const uuid of uuids) await announceStream(own.pool, uuid, 'CALL-1', 'inbound', null)
  for (const [index, uuid] of uuids.entries())
    await own.pool.query(
      `UPDATE announced_streams SET announced_at = clock_timestamp() - $2 * interval '10 hours'
       WHERE stream_id = $1`,
      [uuid, index],
    )
  const forget = async () => (await forgetAnnouncedStreams(own.pool, 86_400, 1))[0]?.forgotten
  assert.equal(await forget(), 1)
  assert.deepEqual(await findAnnouncedStream(own.pool, uuids[4] ?? ''), [])
  assert.equal((await findAnnouncedStream(own.pool, uuids[3] ?? '')).length, 1)
  assert.equal(await forget(), 1)
  assert.equal(await forget(), 0)
  for (const uuid of uuids.slice(0, 3))
    assert.equal((await findAnnouncedStream(own.pool, uuid)).length, 1)
})

test('the deadlines forget old announcements by themselves', async () => {
  await using own = await createDatabase()
  const [old, young] = [randomUUID(), randomUUID()]
  for (const uuid of [old, young]) await announceStream(own.pool, uuid, 'CALL-1', 'inbound', null)
  await own.pool.query(
    `UPDATE announced_streams SET announced_at = now() - interval '25 hours' WHERE stream_id = $1`,
    [old],
  )
  const deadlines = startDeadlines({
    pool: own.pool,
    packetTimeoutSeconds: 300,
    graceSeconds: 0,
    reconnectSeconds: 10,
    logger: createLogger({ level: 'error', pretty: false }),
    onTransitions: () => {},
  })
  try {
    await until('the old one is forgotten', async () => {
      return (await findAnnouncedStream(own.pool, old)).length === 0
    })
    assert.equal((await findAnnouncedStream(own.pool, young)).length, 1)
  } finally {
    await deadlines.stop()
  }
})
