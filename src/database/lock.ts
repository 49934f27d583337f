// What at most one of all processes that share a database does at a time.
import { DatabaseFailure } from './failure.ts'
import type { Pool } from './pool.ts'
import { statement } from './statement.ts'

const tryLock = statement<[name: string], { readonly taken: boolean }>(
  'try_lock',
  'SELECT pg_try_advisory_lock(hashtextextended($1::text, 0)) AS taken',
)

/**
 * Takes the lock of that name, which holds a connection until it is given back; a process that dies holds nothing.
 * Rejects with a {@link DatabaseFailure}.
 * @returns gives it back; undefined: somebody has it
 */
export async function takeLock(pool: Pool, name: string): Promise<(() => void) | undefined> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new DatabaseFailure('connect', error)
  })
  // A connection that breaks has given the lock back by that.
  client.on('error', () => {})
  // The lock goes with the connection, so that nothing can fail when it is given back.
  const giveBack = () => client.release(true)
  try {
    const [answer] = await tryLock(client, name)
    if (answer?.taken === true) return giveBack
  } catch (error) {
    giveBack()
    throw error
  }
  giveBack()
  return undefined
}
