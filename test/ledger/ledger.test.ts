// What one packet, one call or one gateway can do to the others: nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import type { GatewayError } from '../../src/errors.ts'
import { ledgerConnections } from '../../src/ledger/ledger.ts'
import { packetOf, readCall, storeCall } from '../support/calls.ts'
import { connect, createDatabase, databaseUrl } from '../support/database.ts'
import { openLedger, type TestLedger } from '../support/ledger.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const names = Array.from({ length: 20 }, (_, index) => `call-${index}`)

test('a group that the database refuses fails alone, and leaves nothing behind', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await pool.query(`
    CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.call = (SELECT id FROM calls WHERE call_id = 'call-7') THEN
        RAISE EXCEPTION 'poison' USING ERRCODE = '22021';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse_poison BEFORE INSERT ON segments
      FOR EACH ROW EXECUTE FUNCTION refuse_poison()`)
  const told = await Promise.all(
    names.flatMap((callId) =>
      [1, 2].map((sequence) =>
        ledger.store(packetOf(callId, sequence)).then(
          () => 'stored',
          (error: GatewayError) => error.code,
        ),
      ),
    ),
  )
  const expected = names.flatMap((callId) =>
    callId === 'call-7' ? ['internal', 'internal'] : ['stored', 'stored'],
  )
  assert.deepEqual(told, expected)
  for (const callId of names) await assertAccount(pool, callId, callId === 'call-7' ? [] : [1, 2])
  assert.equal((await pool.query(`SELECT FROM calls WHERE call_id = 'call-7'`)).rowCount, 0)
  await pool.query('DROP TRIGGER refuse_poison ON segments')
  await ledger.store(packetOf('call-7', 1))
  await assertAccount(pool, 'call-7', [1])
})

test('a call locked by another session delays only itself, and its packets are stored in order after', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using holder = await connect(database.url)
  await storeCall(database.pool, 'held', [1])
  await lock(holder, 'held')
  let settled = 0
  const sendHeld = (sequence: number) =>
    ledger.store(packetOf('held', sequence)).finally(() => {
      settled += 1
    })
  const held = [2, 3, 4].map(sendHeld)
  const others = names.flatMap((callId) => [1, 2, 3].map((n) => ledger.store(packetOf(callId, n))))
  await Promise.all(others)
  held.push(sendHeld(5))
  await assertAccount(database.pool, 'held', [1])
  assert.equal(settled, 0)
  await holder.query('COMMIT')
  const told = await Promise.all(held)
  assert.ok(told.every(({ late, duplicate }) => !late && !duplicate))
  await assertAccount(database.pool, 'held', [1, 2, 3, 4, 5])
  for (const callId of names) await assertAccount(database.pool, callId, [1, 2, 3])
})

test('a call that stays locked is refused with a reason in the end, and nothing of it is stored', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using holder = await connect(database.url)
  await storeCall(database.pool, 'held', [1])
  // Longer than idle_in_transaction_session_timeout of ordinary connections allows.
  await holder.query('SET idle_in_transaction_session_timeout = 0')
  await lock(holder, 'held')
  await assert.rejects(ledger.store(packetOf('held', 2)), {
    name: 'GatewayError',
    code: 'call_locked',
    status: 503,
    retryable: true,
  })
  await holder.query('COMMIT')
  await assertAccount(database.pool, 'held', [1])
  await ledger.store(packetOf('held', 2))
  await assertAccount(database.pool, 'held', [1, 2])
})

test('two gateways with the same calls in crossed order never deadlock, and the account is exact', async (t) => {
  await using database = await createDatabase()
  const random = seededFor(t)
  const rounds = 120
  {
    await using one = openLedger(database.url)
    await using two = openLedger(database.url)
    const told = new Map<string, number>()
    const pending: Promise<void>[] = []
    // Every sequence goes to both gateways; calls appear as the rounds go on.
    const feed = async (ledger: TestLedger, order: readonly string[]): Promise<void> => {
      for (let round = 1; round <= rounds; round += 1) {
        const packets = order.filter((_, index) => index < round).map((id) => packetOf(id, round))
        const sent = packets.map(async ({ callId, sequence, ...packet }) => {
          const { duplicate } = await ledger.store({ callId, sequence, ...packet })
          const key = `${callId}:${sequence}`
          if (!duplicate) told.set(key, (told.get(key) ?? 0) + 1)
        })
        // Now and then the gateway does not wait, so that batches differ in size.
        if (random() < 0.5) await Promise.all(sent)
        else await sent[0]
        pending.push(...sent)
      }
    }
    await Promise.all([feed(one, names), feed(two, names.toReversed())])
    await Promise.all(pending)
    assert.ok([...told.values()].every((times) => times === 1))
    const { rows } = await database.pool.query(
      `SELECT sum(packets) AS packets, sum(packets + duplicates) AS arrivals FROM tracks`,
    )
    assert.deepEqual(rows, [{ packets: String(told.size), arrivals: String(pending.length) }])
  }
  for (const callId of names) {
    const stored = await storedPackets(database.pool, callId)
    assert.equal(new Set(stored.map(({ sequence }) => sequence)).size, stored.length)
    assert.equal((await readCall(database.pool, callId)).total_packets, stored.length)
  }
  assert.equal(await deadlocksOf(database.url), 0)
})

test('the loser of a race for a new call does not lose its packet, whatever the order of the batches', async () => {
  await using database = await createDatabase()
  {
    await using one = openLedger(database.url)
    await using two = openLedger(database.url)
    for (let round = 0; round < 30; round += 1) {
      const calls = names.map((name) => `${name}-${round}`)
      await Promise.all([
        ...calls.map((callId) => one.store(packetOf(callId, 1))),
        ...calls.toReversed().map((callId) => two.store(packetOf(callId, 2))),
      ])
    }
  }
  const { rows } = await database.pool.query(
    `SELECT count(*) AS tracks FROM tracks WHERE received = '{[1,3)}' AND packets = 2`,
  )
  assert.deepEqual(rows, [{ tracks: 20 * 30 }])
  assert.equal(await deadlocksOf(database.url), 0)
})

test('after its close a ledger refuses packets, and what it took before is stored', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const stored = names.map((callId) => ledger.store(packetOf(callId, 1)))
  const closed = ledger.close()
  await assert.rejects(ledger.store(packetOf('late', 1)), { code: 'shutting_down' })
  await closed
  await Promise.all(stored)
  for (const callId of names) await assertAccount(database.pool, callId, [1])
})

test('a warm ledger has the connections that packets need, and has stored nothing', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await ledger.warmUp()
  const { rows } = await database.pool.query<{ query: string }>(
    `SELECT query FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE '%ledger%'`,
  )
  assert.equal(rows.length, ledgerConnections)
  for (const { query } of rows) assert.match(query, /commit_packets/)
  assert.equal((await database.pool.query('SELECT FROM calls')).rowCount, 0)
})

async function lock(client: { query: Pool['query'] }, callId: string): Promise<void> {
  await client.query('BEGIN')
  await client.query('SELECT FROM calls WHERE call_id = $1 FOR UPDATE', [callId])
}

async function assertAccount(pool: Pool, callId: string, sequences: number[]): Promise<void> {
  const { rows } = await pool.query(
    `SELECT packets, duplicates, late FROM tracks JOIN calls ON calls.id = call
     WHERE call_id = $1`,
    [callId],
  )
  const account = { packets: sequences.length, duplicates: 0, late: 0 }
  assert.deepEqual(rows, sequences.length === 0 ? [] : [account])
  const stored = await storedPackets(pool, callId)
  assert.deepEqual(
    stored.map(({ sequence }) => sequence),
    sequences,
  )
}

/** How many deadlocks PostgreSQL counted. Sessions tell of theirs when they end: close the ledgers first. */
async function deadlocksOf(url: string): Promise<number> {
  await using server = await connect(databaseUrl())
  const database = new URL(url).pathname.slice(1)
  await until('the sessions of the ledgers have ended', async () => {
    const { rowCount } = await server.query(
      `SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE '%ledger%'`,
      [database],
    )
    return rowCount === 0
  })
  const { rows } = await server.query<{ deadlocks: number }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = $1',
    [database],
  )
  return rows[0]?.deadlocks ?? Number.NaN
}
