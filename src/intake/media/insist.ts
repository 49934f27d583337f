// What a stream of media asks of the database is asked again until it is answered: nobody waits for it.
import { setTimeout as pause } from 'node:timers/promises'
import { failureKind } from '../../database/failure.ts'

const firstPauseMs = 100
const longestPauseMs = 2_000

/** Runs something until the database has taken it; rejects only with what no repetition can mend. */
export async function insist<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await run()
    } catch (error) {
      if (failureKind(error) === 'data') throw error
      const wait = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs)
      await pause(wait, undefined, { ref: false })
    }
}
