// The journal: packets that simply go on are durable in it before they are in their tracks, and nobody who reads,
// writes, ends or erases a call can tell.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { completeCall, settleCall } from '../../src/calls/statements.ts'
import type { Pool } from '../../src/database/pool.ts'
import { GatewayError } from '../../src/errors.ts'
import { journalParameters } from '../../src/ledger/journal-entry.ts'
import { appendToJournal } from '../../src/ledger/statements.ts'
import { contentOf, groupOf, packetOf, readCall, transition } from '../support/calls.ts'
import { connect, createDatabase, type TestDatabase } from '../support/database.ts'
import {
  enoughToBeHeld,
  isHeld,
  journaledPackets,
  keepUnsettled,
  sendRun,
} from '../support/journal.ts'
import { openLedger, type TestLedger } from '../support/ledger.ts'
import { untilBlocked } from '../support/locks.ts'
import { seededFor } from '../support/seed.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

async function sequencesOf(pool: Pool, callId: string): Promise<number[]> {
  return (await storedPackets(pool, callId)).map(({ sequence }) => sequence)
}

/** A call in progress of which packets 1 to {@link enoughToBeHeld} are acknowledged, the last of them in the journal. */
async function startHeldCall(
  ledger: TestLedger,
  { pool, url }: TestDatabase,
  callId = 'call',
): Promise<void> {
  await sendRun(ledger, callId, 1, enoughToBeHeld - 1)
  assert.ok(await isHeld(pool, callId), 'the journal has the track')
  await using _ = await keepUnsettled(url)
  await sendRun(ledger, callId, enoughToBeHeld, enoughToBeHeld)
  assert.equal((await journaledPackets(pool, callId)).at(-1), enoughToBeHeld)
}

test('packets one after the other go to the journal, and to their track when it is settled', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database)
  await settleCall(pool, 'call')
  assert.deepEqual(await journaledPackets(pool, 'call'), [])
  const stored = await storedPackets(pool, 'call')
  assert.deepEqual(
    stored.map(({ sequence, timestamp, data }) => ({ sequence, timestamp, data: `${data}` })),
    upTo(enoughToBeHeld).map((sequence) => {
      const { timestamp, payload } = contentOf(packetOf('call', sequence))
      return { sequence, timestamp, data: `${payload}` }
    }),
  )
  assert.equal((await readCall(pool, 'call')).total_packets, enoughToBeHeld)
})

test('what is settled lists sizes where they differ, and is read back to the byte', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  for (const callId of ['even', 'sized']) {
    await startHeldCall(ledger, database, callId)
    await pool.query('SELECT settle_journals()')
    {
      await using _ = await keepUnsettled(database.url)
      for (let nth = 1; nth <= 5; nth += 1)
        await ledger.store(
          packetOf(callId, enoughToBeHeld + nth, {
            payload: Buffer.alloc(callId === 'even' ? 160 : 159 + nth, nth),
          }),
        )
      assert.equal((await journaledPackets(pool, callId)).length, 5)
    }
    await settleCall(pool, callId)
    const stored = (await storedPackets(pool, callId)).slice(enoughToBeHeld)
    assert.deepEqual(
      stored.map(({ sequence, data }) => [sequence - enoughToBeHeld, data]),
      [1, 2, 3, 4, 5].map((nth) => [nth, Buffer.alloc(callId === 'even' ? 160 : 159 + nth, nth)]),
    )
    const { rows } = await pool.query(
      `SELECT sequences, sizes FROM segments WHERE call = $1 ORDER BY first_sequence DESC LIMIT 1`,
      [(await readCall(pool, callId)).id],
    )
    const sizes = callId === 'even' ? [160] : [160, 161, 162, 163, 164]
    assert.deepEqual(rows, [{ sequences: null, sizes }])
  }
})

test('what comes again, early or late is told as ever, and what comes after goes on', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await startHeldCall(ledger, database)
  const tell = async (sequence: number) => {
    const { duplicate, late, missing } = await ledger.store(packetOf('call', sequence))
    return { duplicate, late, missing }
  }
  const last = enoughToBeHeld
  const usual = { duplicate: false, late: false, missing: '' }
  assert.deepEqual(await tell(last), { ...usual, duplicate: true })
  assert.deepEqual(await tell(last + 3), { ...usual, missing: `${last + 1},${last + 2}` })
  assert.deepEqual(await tell(last + 1), { ...usual, late: true, missing: `${last + 2}` })
  assert.deepEqual(await tell(last + 2), { ...usual, late: true })
  await sendRun(ledger, 'call', last + 4, 2 * last)
  assert.ok(await isHeld(database.pool, 'call'), 'the journal has the track again')
  assert.deepEqual(await sequencesOf(database.pool, 'call'), upTo(2 * last))
})

test('what takes one speaker of a call out of the journal takes the other along, with what came at the same moment', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  const both = (sequence: number) =>
    Promise.all(
      (['inbound', 'outbound'] as const).map((track) =>
        ledger.store(packetOf('call', sequence, { track })),
      ),
    )
  for (let sequence = 1; sequence < enoughToBeHeld; sequence += 1) await both(sequence)
  {
    await using _ = await keepUnsettled(database.url)
    await both(enoughToBeHeld)
    assert.equal((await journaledPackets(pool, 'call')).at(-1), enoughToBeHeld)
  }
  await Promise.all([
    ledger.store(packetOf('call', 1, { track: 'inbound' })),
    ledger.store(packetOf('call', enoughToBeHeld + 1, { track: 'outbound' })),
  ])
  await settleCall(pool, 'call')
  const packets = await storedPackets(pool, 'call')
  assert.equal(packets.filter(({ track }) => track === 'inbound').length, enoughToBeHeld)
  assert.equal(packets.filter(({ track }) => track === 'outbound').length, enoughToBeHeld + 1)
})

test('another gateway takes the track away with a packet, and neither counts one twice', async () => {
  await using database = await createDatabase()
  await using one = openLedger(database.url)
  await using other = openLedger(database.url)
  await startHeldCall(one, database)
  const last = enoughToBeHeld
  assert.equal((await other.store(packetOf('call', last))).duplicate, true)
  await sendRun(other, 'call', last + 1, last + 3)
  assert.equal((await one.store(packetOf('call', last + 1))).duplicate, true)
  await sendRun(one, 'call', last + 4, last + 5)
  assert.deepEqual(await sequencesOf(database.pool, 'call'), upTo(last + 5))
})

test('two gateways that take turns of any length lose nothing and tell each packet as new once', async (t) => {
  await using database = await createDatabase()
  await using one = openLedger(database.url)
  await using other = openLedger(database.url)
  const calls = ['a', 'b', 'c']
  await Promise.all(calls.map((callId) => takeTurns(t, callId, [one, other])))
  for (const callId of calls)
    assert.deepEqual(await sequencesOf(database.pool, callId), upTo(turnsOf.last))
})

const turnsOf = { last: 400 }

/** Sends a call's packets by one ledger or the other in turns of any length, some of them by both at once. */
async function takeTurns(
  t: TestContext,
  callId: string,
  ledgers: readonly [TestLedger, TestLedger],
): Promise<void> {
  const random = seededFor(t)
  let ledger = ledgers[0]
  for (let sequence = 1; sequence <= turnsOf.last; sequence += 1) {
    if (random() < 0.04) ledger = ledger === ledgers[0] ? ledgers[1] : ledgers[0]
    const packet = packetOf(callId, sequence)
    if (random() < 0.02) {
      const told = await Promise.all(ledgers.map((each) => each.store(packet)))
      assert.equal(told.filter(({ duplicate }) => !duplicate).length, 1)
    } else assert.equal((await ledger.store(packet)).duplicate, false)
  }
}

test('while anybody settles at any time, every packet is stored once', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  let isOver = false
  const settling = Promise.all(
    [1, 2, 3].map(async () => {
      while (!isOver) await database.pool.query('SELECT settle_journals()')
    }),
  )
  const calls = upTo(20).map((number) => `call-${number}`)
  await Promise.all(calls.map((callId) => sendRun(ledger, callId, 1, 150)))
  isOver = true
  await settling
  for (const callId of calls) {
    assert.deepEqual(await sequencesOf(database.pool, callId), upTo(150))
    assert.equal((await readCall(database.pool, callId)).total_packets, 150)
  }
})

test('a packet that is acknowledged around the end of its call is in it, and a refused one is not', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  const calls = upTo(20).map((number) => `call-${number}`)
  const last = await Promise.all(
    calls.map(async (callId, index) => {
      await sendRun(ledger, callId, 1, enoughToBeHeld + index)
      const sending = sendUntilSealed(ledger, callId, enoughToBeHeld + index + 1)
      await completeCall(pool, callId, 'endpoint', 0)
      await transition(pool, (await readCall(pool, callId)).id, 'PROCESSING_AI')
      await pool.query('UPDATE calls SET sealed_at = clock_timestamp() WHERE call_id = $1', [
        callId,
      ])
      return await sending
    }),
  )
  for (const [index, callId] of calls.entries())
    assert.deepEqual(await sequencesOf(pool, callId), upTo(last[index] ?? 0))
})

function isSealed(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'call_sealed'
}

/** Sends packets until one is refused; the last that was not. */
async function sendUntilSealed(ledger: TestLedger, callId: string, first: number): Promise<number> {
  for (let sequence = first; sequence < first + 10_000; sequence += 1) {
    try {
      await ledger.store(packetOf(callId, sequence))
    } catch (error) {
      assert.ok(isSealed(error))
      return sequence - 1
    }
  }
  throw new Error('no packet was refused')
}

test('a call that is over takes packets until its analysis begins, and counts those in the journal', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database)
  await completeCall(pool, 'call', 'endpoint', 60)
  await sendRun(ledger, 'call', enoughToBeHeld + 1, 2 * enoughToBeHeld - 1)
  const countUnsettled = async () => {
    await using _ = await keepUnsettled(database.url)
    await sendRun(ledger, 'call', 2 * enoughToBeHeld, 2 * enoughToBeHeld)
    assert.equal((await journaledPackets(pool, 'call')).at(-1), 2 * enoughToBeHeld)
    return await readCall(pool, 'call')
  }
  const { total_packets, missing, updated_at } = await countUnsettled()
  assert.deepEqual([total_packets, missing], [2 * enoughToBeHeld, '{}'])
  await pool.query('UPDATE calls SET sealed_at = clock_timestamp()')
  assert.equal(await isHeld(pool, 'call'), false)
  assert.deepEqual(await sequencesOf(pool, 'call'), upTo(2 * enoughToBeHeld))
  assert.deepEqual((await readCall(pool, 'call')).updated_at, updated_at)
  await assert.rejects(ledger.store(packetOf('call', 2 * enoughToBeHeld + 1)), isSealed)
})

test('a call of which nothing more is heard is given back, while others go on', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database, 'quiet')
  await startHeldCall(ledger, database, 'other')
  let next = enoughToBeHeld + 1
  await until('it is given back', async () => {
    await sendRun(ledger, 'other', next, next)
    next += 1
    return !(await isHeld(pool, 'quiet'))
  })
  assert.ok(await isHeld(pool, 'other'))
  await sendRun(ledger, 'quiet', enoughToBeHeld + 1, 2 * enoughToBeHeld)
  assert.ok(await isHeld(pool, 'quiet'), 'the journal has the track again')
  assert.deepEqual(await sequencesOf(pool, 'quiet'), upTo(2 * enoughToBeHeld))
})

test('a journal that cannot be settled keeps what it has, and the others are settled all the same', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using other = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database, 'broken')
  await startHeldCall(other, database, 'sound')
  const received = (change: string) =>
    pool.query(
      `UPDATE tracks SET received = received ${change} '{[900,901)}'
       WHERE call = (SELECT id FROM calls WHERE call_id = 'broken')`,
    )
  {
    await using _ = await keepUnsettled(database.url)
    await sendRun(ledger, 'broken', enoughToBeHeld + 1, enoughToBeHeld + 1)
    await received('+')
  }
  await pool.query('SELECT settle_journals()')
  assert.deepEqual(await journaledPackets(pool, 'sound'), [])
  assert.equal((await journaledPackets(pool, 'broken')).at(-1), enoughToBeHeld + 1)
  await received('-')
  await pool.query('SELECT settle_journals()')
  assert.deepEqual(await sequencesOf(pool, 'broken'), upTo(enoughToBeHeld + 1))
})

test('an erasure leaves nothing in the journal, and the next packet begins a new call', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database)
  await pool.query(`SELECT erase_call('call', true)`)
  const { rows } = await pool.query('SELECT count(*)::int AS entries FROM journal_entries')
  assert.deepEqual(rows, [{ entries: 0 }])
  await ledger.store(packetOf('call', 1))
  assert.deepEqual(await sequencesOf(pool, 'call'), [1])
})

test('a stream that begins on a track goes on after all that was acknowledged', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await startHeldCall(ledger, database)
  const { rows } = await database.pool.query(
    `SELECT bases FROM start_media_stream('call', 'twilio', 'stream', '{mixed}',
       '{"encoding": "pcmu", "rate": 8000}', false, '{}', 300, false)`,
  )
  assert.deepEqual(rows, [{ bases: [enoughToBeHeld] }])
})

test('a journal that was forgotten is opened anew, and no packet is lost with it', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  const { pool } = database
  await startHeldCall(ledger, database)
  {
    await using journals = await keepUnsettled(database.url)
    await sendRun(ledger, 'call', enoughToBeHeld + 1, enoughToBeHeld + 1)
    await journals.query(`UPDATE journals SET settled_at = settled_at - interval '2 days'`)
    assert.ok((await journaledPackets(pool, 'call')).length > 0)
  }
  await pool.query('SELECT settle_journals()')
  await pool.query(`UPDATE journals SET settled_at = settled_at - interval '2 days'`)
  await pool.query('SELECT settle_journals()')
  assert.equal((await pool.query('SELECT FROM journals')).rowCount, 0)
  await sendRun(ledger, 'call', enoughToBeHeld + 2, 2 * enoughToBeHeld)
  assert.deepEqual(await sequencesOf(pool, 'call'), upTo(2 * enoughToBeHeld))
})

test('what a process leaves that is no more is settled by whoever comes next', async () => {
  await using database = await createDatabase()
  const { pool } = database
  await using other = openLedger(database.url)
  await using ledger = openLedger(database.url)
  await startHeldCall(ledger, database, 'ended')
  await startHeldCall(ledger, database, 'goes on')
  // The journal is never heard of again, as if its process had died: its connections are all that it has.
  const last = enoughToBeHeld
  await completeCall(pool, 'ended', 'endpoint', 0)
  assert.deepEqual(await sequencesOf(pool, 'ended'), upTo(last))
  await sendRun(other, 'goes on', last + 1, last + 1)
  assert.deepEqual(await sequencesOf(pool, 'goes on'), upTo(last + 1))
})

test('a ledger that closes leaves no journal and no track in it', async () => {
  await using database = await createDatabase()
  const ledger = openLedger(database.url)
  await startHeldCall(ledger, database)
  await ledger[Symbol.asyncDispose]()
  const { pool } = database
  assert.equal(await isHeld(pool, 'call'), false)
  assert.equal((await pool.query('SELECT FROM journals')).rowCount, 0)
  assert.equal((await pool.query('SELECT FROM journal_entries')).rowCount, 0)
  assert.equal((await readCall(pool, 'call')).total_packets, enoughToBeHeld)
})

test('a journal whose row somebody holds delays its tracks and nothing else', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using other = openLedger(database.url)
  await using holder = await connect(database.url)
  await startHeldCall(ledger, database)
  await holder.query('BEGIN')
  await holder.query('SELECT FROM journals FOR UPDATE')
  const waiting = ledger.store(packetOf('call', enoughToBeHeld + 1))
  await sendRun(other, 'another', 1, 3)
  await holder.query('COMMIT')
  assert.equal((await waiting).duplicate, false)
  assert.deepEqual(await sequencesOf(database.pool, 'call'), upTo(enoughToBeHeld + 1))
})

test('an addition waits for who holds the journal, longer than its connection waits for locks', async () => {
  await using database = await createDatabase()
  await using ledger = openLedger(database.url)
  await using holder = await connect(database.url)
  await using adding = await connect(database.url)
  await startHeldCall(ledger, database)
  const { rows } = await database.pool.query(
    'SELECT call, journal FROM tracks WHERE journal IS NOT NULL',
  )
  const [{ call, journal }] = rows
  await adding.query(`SET lock_timeout = '1ms'`)
  await holder.query('BEGIN')
  // What is left of it after the savepoint lets packets be added, and the journal not be settled.
  await holder.query('SELECT FROM journals FOR SHARE')
  await holder.query('SAVEPOINT shared')
  await holder.query('SELECT FROM journals FOR UPDATE')
  const packets = [packetOf('call', enoughToBeHeld + 1)]
  const { parameters } = journalParameters([[call, groupOf(packets)]])
  const added = appendToJournal(adding, journal, ...parameters)
  await untilBlocked(database.pool)
  await holder.query('ROLLBACK TO SAVEPOINT shared')
  assert.deepEqual(await added, [{ stored: true, lost: null }])
  assert.equal((await journaledPackets(database.pool, 'call')).at(-1), enoughToBeHeld + 1)
  await holder.query('COMMIT')
  assert.deepEqual(await sequencesOf(database.pool, 'call'), upTo(enoughToBeHeld + 1))
})
