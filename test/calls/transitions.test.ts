import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CallStatus, callStatuses, isLegalTransition } from '../../src/calls/transitions.ts'
import type { Queryable } from '../../src/database/statement.ts'
import { bringTo, snapshotOf, transition } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'

const refused = { code: 'GW001' }

const edges = callStatuses.flatMap((from) =>
  callStatuses.flatMap((to) => [true, false].map((hasResult) => ({ from, to, hasResult }))),
)

test('the table in TypeScript and the one in the database are the same', async () => {
  await using database = await createDatabase()
  const { rows } = await database.pool.query<{ status: string }>(
    'SELECT unnest(enum_range(NULL::call_status)) AS status',
  )
  assert.deepEqual(
    rows.map(({ status }) => status),
    callStatuses,
  )
  assert.equal(edges.length, 5 * 5 * 2)
  for (const { from, to, hasResult } of edges) {
    const answer = await database.pool.query<{ legal: boolean }>(
      'SELECT is_legal_transition($1, $2, $3) AS legal',
      [from, to, hasResult],
    )
    assert.equal(answer.rows[0]?.legal, isLegalTransition(from, to, hasResult), `${from} → ${to}`)
  }
})

test('every illegal transition is refused by the database and changes nothing', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const illegal = edges.filter(({ from, to, hasResult }) => !isLegalTransition(from, to, hasResult))
  assert.equal(illegal.length, 50 - 14)
  for (const { from, to, hasResult } of illegal) {
    const call = await createCall(pool, from, hasResult)
    const before = await snapshotOf(pool, call)
    await assert.rejects(transition(pool, call, to), refused, `${from} → ${to}, ${hasResult}`)
    assert.deepEqual(await snapshotOf(pool, call), before)
  }
})

test('every legal transition raises the version by one and appends one event', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const { from, to, hasResult } of edges) {
    if (!isLegalTransition(from, to, hasResult)) continue
    const call = await createCall(pool, from, hasResult)
    const before = await eventsOf(pool, call)
    const { version } = await stateOf(pool, call)
    await transition(pool, call, to)
    assert.deepEqual(await stateOf(pool, call), { status: to, version: version + 1 })
    assert.deepEqual(await eventsOf(pool, call), [
      ...before,
      { kind: 'transition', version: version + 1, old_status: from, status: to },
    ])
  }
})

test('the log of a call is an unbroken path from its first state to its last', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const path: CallStatus[] = ['COMPLETED', 'PROCESSING_AI', 'FAILED', 'PROCESSING_AI', 'COMPLETED']
  const call = await createCall(pool, 'IN_PROGRESS', false)
  for (const to of [...path, ...path.slice(1), 'ARCHIVED' as const])
    await transition(pool, call, to)
  const events = await eventsOf(pool, call)
  let status: string = 'IN_PROGRESS'
  for (const [index, event] of events.entries()) {
    assert.equal(event.version, index + 2)
    assert.equal(event.old_status, status)
    status = event.status
  }
  assert.deepEqual(await stateOf(pool, call), { status: 'ARCHIVED', version: events.length + 1 })
})

const otherWrites = [
  "UPDATE calls SET status = 'COMPLETED' WHERE id = $1",
  "UPDATE calls SET status = 'ARCHIVED', due_at = NULL WHERE id = $1",
  'UPDATE calls SET version = version + 1 WHERE id = $1',
  'UPDATE calls SET version = version - 1 WHERE id = $1',
  "UPDATE calls SET status = 'COMPLETED', version = version + 1 WHERE id = $1",
]

for (const sql of otherWrites)
  test(`the database refuses ${sql}`, async () => {
    await using database = await createDatabase()
    const call = await createCall(database.pool, 'IN_PROGRESS', false)
    const before = await snapshotOf(database.pool, call)
    await assert.rejects(database.pool.query(sql, [call]), refused)
    assert.deepEqual(await snapshotOf(database.pool, call), before)
  })

test('a call can only be created in progress, at version 1', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const insert = (status: string, version: number) =>
    pool.query(
      `INSERT INTO calls (call_id, status, version, due_at) VALUES ('new', $1, $2, now())`,
      [status, version],
    )
  for (const status of callStatuses) {
    await assert.rejects(insert(status, 2), refused)
    if (status !== 'IN_PROGRESS') await assert.rejects(insert(status, 1), refused)
  }
  assert.equal((await pool.query('SELECT FROM calls')).rowCount, 0)
  await insert('IN_PROGRESS', 1)
})

test('a transition does not leave the door open for the rest of its transaction', async () => {
  await using database = await createDatabase()
  const call = await createCall(database.pool, 'IN_PROGRESS', false)
  const client = await database.pool.connect()
  try {
    await client.query('BEGIN')
    await transition(client, call, 'COMPLETED')
    await assert.rejects(
      client.query("UPDATE calls SET status = 'FAILED' WHERE id = $1", [call]),
      refused,
    )
    await client.query('ROLLBACK')
  } finally {
    client.release()
  }
  assert.deepEqual(await stateOf(database.pool, call), { status: 'IN_PROGRESS', version: 1 })
})

test('a call that is not over always has a time when its next step is due', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const status of ['IN_PROGRESS', 'COMPLETED', 'PROCESSING_AI'] as const) {
    const call = await createCall(pool, status, false)
    await assert.rejects(pool.query('UPDATE calls SET due_at = NULL WHERE id = $1', [call]), {
      constraint: 'nothing_waits_without_a_deadline',
    })
  }
})

type Wish = { readonly to: CallStatus; readonly result: boolean }
const wishes = fc.array(fc.record({ to: fc.constantFrom(...callStatuses), result: fc.boolean() }), {
  maxLength: 40,
})

/** Follows every wish that is legal; a result comes only while the AI is at work. */
function walk(steps: readonly Wish[], onStep: (from: CallStatus, hasResult: boolean) => void) {
  let status: CallStatus = 'IN_PROGRESS'
  let hasResult = false
  for (const { to, result } of steps) {
    if (status === 'PROCESSING_AI' && result) hasResult = true
    if (!isLegalTransition(status, to, hasResult)) continue
    onStep(status, hasResult)
    status = to
    if (hasResult) assert.notEqual(status, 'PROCESSING_AI')
  }
  return { status, hasResult }
}

test('no walk leaves ARCHIVED, or gives a call with a result to the AI again', () => {
  let archived = 0
  fc.assert(
    fc.property(wishes, (steps) => {
      const end = walk(steps, (from) => assert.notEqual(from, 'ARCHIVED'))
      if (end.status === 'ARCHIVED') archived += 1
    }),
    { numRuns: 5_000 },
  )
  assert.ok(archived > 1_000, `only ${archived} walks came to the end`)
})

test('wherever a walk ends, the call can still be archived', () => {
  fc.assert(
    fc.property(wishes, (steps) => {
      const { status, hasResult } = walk(steps, () => {})
      const ways = [[], ['COMPLETED'], ['PROCESSING_AI', 'COMPLETED']] as const
      const reaches = (path: readonly CallStatus[]) =>
        [...path, 'ARCHIVED' as const].reduce<CallStatus | undefined>(
          (from, to) =>
            from !== undefined && isLegalTransition(from, to, hasResult) ? to : undefined,
          status,
        ) !== undefined
      assert.ok(status === 'ARCHIVED' || ways.some(reaches), `${status} is a dead end`)
    }),
    { numRuns: 1_000 },
  )
})

let calls = 0

async function createCall(db: Queryable, status: CallStatus, hasResult: boolean): Promise<number> {
  calls += 1
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO calls (call_id, due_at) VALUES ($1, now() + interval '1 hour') RETURNING id`,
    [`call-${calls}`],
  )
  const id = rows[0]?.id ?? 0
  await bringTo(db, id, status)
  if (hasResult) await db.query('UPDATE calls SET ai_processed_at = now() WHERE id = $1', [id])
  return id
}

async function stateOf(db: Queryable, call: number) {
  const { rows } = await db.query<{ status: CallStatus; version: number }>(
    'SELECT status, version FROM calls WHERE id = $1',
    [call],
  )
  return { ...rows[0], version: rows[0]?.version ?? 0 }
}

async function eventsOf(db: Queryable, call: number) {
  const { rows } = await db.query<{
    kind: string
    version: number
    old_status: string
    status: string
  }>('SELECT kind, version, old_status, status FROM events WHERE call = $1 ORDER BY id', [call])
  return rows
}
