import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callRoutes } from '../../src/calls/routes.ts'
import { countCalls } from '../../src/calls/statements.ts'
import { type CallStatus, callStatuses, isLegalTransition } from '../../src/calls/transitions.ts'
import type { Pool } from '../../src/database/pool.ts'
import type { Queryable } from '../../src/database/statement.ts'
import { publishEvents } from '../../src/feed/event-log.ts'
import { createServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { bringTo, storeCall, transition } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import { seededFor } from '../support/seed.ts'

type Page = {
  readonly calls: readonly { readonly call_id: string; readonly status: CallStatus }[]
  readonly total: number
  readonly cursor: string | null
}

test('counts per status are exact at once, before and after events are published', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using history = await openHistory(pool)
  for (const [index, status] of callStatuses.entries())
    for (let made = 0; made <= index; made += 1) {
      const call = await storeCall(pool, `${status}-${made}`)
      await bringTo(pool, call, status)
      assert.equal((await history.read(`status=${status}`)).total, made + 1)
    }
  for (const [index, status] of callStatuses.entries())
    assert.equal((await history.read(`status=${status}`)).total, index + 1)
  assert.equal((await history.read('')).total, 15)
  // Half published, all published, nothing left to publish.
  for (const limit of [20, 1_000, 1_000]) {
    await publishEvents(pool, limit)
    assert.deepEqual(await countsOf(pool), await countedOneByOne(pool))
    assert.equal((await history.read('')).total, 15)
  }
})

test('a call counts in its new state right after a transition, published or not', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const call = await storeCall(pool, 'call')
  for (const publish of [false, true])
    for (const to of ['COMPLETED', 'PROCESSING_AI'] as const) {
      await transition(pool, call, to)
      if (publish) await publishEvents(pool, 100)
      const expected = Object.fromEntries(callStatuses.map((status) => [status, 0]))
      assert.deepEqual(await countsOf(pool), { ...expected, [to]: 1 })
    }
})

test('counts are exact at every moment while calls change and several gateways publish', async (t) => {
  await using database = await createDatabase()
  const { pool } = database
  const random = seededFor(t)
  let busy = true
  const change = async (worker: number): Promise<void> => {
    for (let made = 0; made < 25; made += 1) {
      const call = await storeCall(pool, `${worker}-${made}`)
      let status: CallStatus = 'IN_PROGRESS'
      for (let step = 0; step < 6; step += 1) {
        const to = callStatuses[Math.floor(random() * callStatuses.length)] ?? 'ARCHIVED'
        if (!isLegalTransition(status, to, false)) continue
        await transition(pool, call, to)
        status = to
      }
    }
  }
  const publish = async (): Promise<void> => {
    while (busy) await publishEvents(pool, 1 + Math.floor(random() * 7))
  }
  let compared = 0
  const compare = async (): Promise<void> => {
    const client = await pool.connect()
    try {
      while (busy) {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        assert.deepEqual(await countsOf(client), await countedOneByOne(client))
        await client.query('COMMIT')
        compared += 1
      }
    } finally {
      client.release()
    }
  }
  const others = [publish(), publish(), compare()]
  try {
    await Promise.all([1, 2, 3].map(change))
  } finally {
    busy = false
    await Promise.all(others)
  }
  assert.ok(compared > 10, `compared ${compared} times only`)
  assert.deepEqual(await countsOf(pool), await countedOneByOne(pool))
})

test('pages follow each other without loss or repeat while new calls arrive', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using history = await openHistory(pool)
  await storeCalls(pool, 'old', 45)
  const seen: string[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null; page += 1) {
    const reply: Page = await history.read(`limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`)
    seen.push(...reply.calls.map(({ call_id }) => call_id))
    assert.equal(reply.total, 45 + 3 * page)
    cursor = reply.cursor
    await storeCalls(pool, `new-${page}`, 3)
  }
  const newestFirst = Array.from({ length: 45 }, (_, index) => `old-${44 - index}`)
  assert.deepEqual(seen, newestFirst)
})

test('pages of one status hold that status only, each call once, newest first', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using history = await openHistory(pool)
  for (let index = 0; index < 25; index += 1) {
    const call = await storeCall(pool, `call-${index}`)
    if (index % 2 === 0) await bringTo(pool, call, 'FAILED')
  }
  const first = await history.read('status=FAILED&limit=8')
  const second = await history.read(`status=FAILED&limit=8&cursor=${first.cursor}`)
  const calls = [...first.calls, ...second.calls]
  assert.deepEqual(
    calls.map(({ call_id }) => call_id),
    Array.from({ length: 13 }, (_, index) => `call-${24 - 2 * index}`),
  )
  assert.ok(calls.every(({ status }) => status === 'FAILED'))
  assert.deepEqual([first.total, second.total, second.cursor], [13, 13, null])
})

test('a page that ends exactly at the oldest call is followed by an empty one', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using history = await openHistory(pool)
  await storeCalls(pool, 'call', 4)
  const full = await history.read('limit=4')
  assert.equal(full.calls.length, 4)
  const after = await history.read(`limit=4&cursor=${full.cursor}`)
  assert.deepEqual(after, { calls: [], total: 4, cursor: null })
})

/** The history as its clients read it. */
async function openHistory(pool: Pool) {
  const server = await createServer(createLogger({ level: 'error', pretty: false }), 'test')
  await server.register(callRoutes, { pool, complete: () => assert.fail('nothing is completed') })
  return {
    read: async (query: string): Promise<Page> => {
      const reply = await server.inject(`/v1/call/history?${query}`)
      assert.equal(reply.statusCode, 200, reply.body)
      return reply.json<Page>()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}

/** Creates calls `name-0`, `name-1`, … one after the other. */
async function storeCalls(pool: Pool, name: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await storeCall(pool, `${name}-${index}`)
}

async function countsOf(db: Queryable): Promise<Record<string, number>> {
  return Object.fromEntries((await countCalls(db)).map(({ status, calls }) => [status, calls]))
}

async function countedOneByOne(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await db.query<{ status: CallStatus }>('SELECT status FROM calls')
  const of = (status: CallStatus) => rows.filter((row) => row.status === status).length
  return Object.fromEntries(callStatuses.map((status) => [status, of(status)]))
}
