// What the journal of a test's ledger holds, asked of the tables themselves.
import type { Queryable } from '../../src/database/statement.ts'
import { packetOf } from './calls.ts'
import { connect } from './database.ts'
import type { TestLedger } from './ledger.ts'

/** Enough packets, one after the other, for a track to be held by the journal, and a few more. */
export const enoughToBeHeld = 30

/** Sends packets of a call one after the other, each after the answer to the one before. */
export async function sendRun(
  ledger: TestLedger,
  callId: string,
  first: number,
  last: number,
): Promise<void> {
  for (let sequence = first; sequence <= last; sequence += 1) {
    const { duplicate, late, missing } = await ledger.store(packetOf(callId, sequence))
    if (duplicate || late || missing !== '')
      throw new Error(`packet ${sequence} of ${callId} was told to be irregular`)
  }
}

/**
 * Keeps the journals that there are from being settled until it is disposed of; packets are added all the same. What is
 * to be asked of the journals at that moment can be asked with `query`.
 */
export async function keepUnsettled(url: string) {
  const holder = await connect(url)
  await holder.query('BEGIN')
  await holder.query('SELECT FROM journals FOR SHARE')
  return {
    query: (sql: string) => holder.query(sql),
    [Symbol.asyncDispose]: async () => {
      await holder.query('COMMIT')
      await holder.end()
    },
  }
}

/** The packets of a call that are durable in a journal and in no segment yet. */
export async function journaledPackets(db: Queryable, callId: string): Promise<number[]> {
  const { rows } = await db.query(
    `SELECT packet.sequence::float8 AS sequence
     FROM journal_entries JOIN journals ON journals.id = journal_entries.journal
       CROSS JOIN unnest(calls, sequences) AS packet (call, sequence)
     WHERE packet.call = (SELECT id FROM calls WHERE call_id = $1)
       AND journal_entries.id > settled_up_to
     ORDER BY 1`,
    [callId],
  )
  return rows.map((row: { sequence: number }) => row.sequence)
}

/** Whether tracks of a call belong to a journal. */
export async function isHeld(db: Queryable, callId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM tracks JOIN calls ON calls.id = call WHERE call_id = $1 AND journal IS NOT NULL`,
    [callId],
  )
  return (rowCount ?? 0) > 0
}
