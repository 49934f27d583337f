// Whether a client can go on from the position that it knows.
import type { Pool } from '../database/pool.ts'
import { readExtent } from './event-log.ts'

const rememberMs = 1_000

/**
 * Tells from where a client that knows a position has to begin anew: the head of the feed; undefined when it can go on
 * from its own. Rejects with a `DatabaseFailure`.
 */
export type Resume = (after: number) => Promise<number | undefined>

/**
 * Builds what decides it. A position beyond the head is of another database, or of this one before it was restored.
 * Where nothing is left between a position and the oldest event, nobody can say what the client missed; to a client
 * that knows nothing yet, at 0, that is no matter.
 */
export function createResume(pool: Pool): Resume {
  let known = { head: 0, oldest: 0, until: 0 }
  return async (after) => {
    // Many come back at once when a gateway ends; where the log ends changes nothing for who is within it.
    const isWithin = after <= known.head && after + 1 >= known.oldest
    if (isWithin && performance.now() < known.until) return undefined
    const [extent] = await readExtent(pool)
    const head = extent?.head ?? 0
    const oldest = extent?.oldest ?? head + 1
    known = { head, oldest, until: performance.now() + rememberMs }
    if (after > head) return head
    const isGone = after > 0 && after < head && after + 1 < oldest
    return isGone ? head : undefined
  }
}
