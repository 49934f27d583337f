// Streams of media that want the same track: one carries it.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { readCall } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import {
  beginStream,
  endStream,
  mediaEventsOf,
  passTime,
  storeMedia,
  tryStream,
} from '../support/media.ts'

const database = await createDatabase()
after(() => database[Symbol.asyncDispose]())
const { pool } = database

suite('while another stream carries its track', () => {
  test('a stream is not begun, and nothing is written', async () => {
    const { call } = await beginStream(pool, 'busy')
    assert.equal(await tryStream(pool, 'busy', { tracks: ['outbound', 'inbound'] }), undefined)
    assert.equal((await mediaEventsOf(pool, call)).length, 1)
  })

  test('one that insists replaces it when it was quiet', async () => {
    const dead = await beginStream(pool, 'dead')
    await storeMedia(pool, 'dead', 'inbound', 1, 5)
    await passTime(pool, dead.call, 3)
    const next = await beginStream(pool, 'dead', { insist: true })
    assert.equal(next.call_id, 'dead')
    assert.deepEqual(next.bases, [5])
    assert.equal(await endStream(pool, dead, 'stopped'), false, 'it has nothing to say any more')
    assert.equal((await readCall(pool, 'dead')).status, 'IN_PROGRESS')
    assert.deepEqual(
      (await mediaEventsOf(pool, next.call)).map(({ event, by }) => by ?? event),
      ['stream_started', 'replaced', 'stream_started'],
    )
  })

  test('one that insists gets a call of its own when the other is heard', async () => {
    const alive = await beginStream(pool, 'heard')
    await passTime(pool, alive.call, 60)
    await storeMedia(pool, 'heard', 'inbound', 1, 5)
    assert.equal((await beginStream(pool, 'heard', { insist: true })).call_id, 'heard~2')
  })

  test('one that insists gets a call of its own when the other has just begun', async () => {
    const before = await beginStream(pool, 'begun')
    await storeMedia(pool, 'begun', 'inbound', 1, 5)
    await endStream(pool, before, 'disconnected')
    await passTime(pool, before.call, 5)
    await beginStream(pool, 'begun', { streamId: 'MZ2' })
    assert.equal((await beginStream(pool, 'begun', { insist: true })).call_id, 'begun~2')
  })

  test('of many that begin at once, one does', async () => {
    const started = await Promise.all(
      Array.from({ length: 8 }, (_, index) => tryStream(pool, 'race', { streamId: `MZ${index}` })),
    )
    assert.equal(started.filter((stream) => stream !== undefined).length, 1)
  })

  test('two that begin at once on different tracks share one new call', async () => {
    const started = await Promise.all(
      (['inbound', 'outbound'] as const).map((track) =>
        beginStream(pool, 'pair', { tracks: [track], streamId: track }),
      ),
    )
    assert.equal(new Set(started.map(({ call }) => call)).size, 1)
  })
})
