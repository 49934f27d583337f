// Several statements that see the database as it was at one moment.
import type { Pool } from 'pg'
import { DatabaseFailure } from './failure.ts'
import type { Queryable } from './statement.ts'

/** Runs `read` on one snapshot of the database; rejects with its error or a {@link DatabaseFailure}. */
export async function inSnapshot<T>(pool: Pool, read: (db: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new DatabaseFailure('connect', error)
  })
  let isWell = false
  try {
    await run(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const result = await read(client)
    await run(client, 'COMMIT')
    isWell = true
    return result
  } finally {
    // A connection in an unknown state is closed, and its transaction with it.
    client.release(!isWell)
  }
}

async function run(db: Queryable, command: string): Promise<void> {
  try {
    await db.query(command)
  } catch (error) {
    throw new DatabaseFailure('snapshot', error)
  }
}
