// The floor as the first event of a stream. Many clients that come at once share one: whatever its age, the events
// after its position make it whole.
import { floorLimits, readFloor } from '../calls/floor.ts'
import { callStatuses } from '../calls/transitions.ts'
import type { Pool } from '../database/pool.ts'
import type { FeedFilter } from './filter.ts'
import { share } from './share.ts'
import { textOf } from './stream-event.ts'

/** A snapshot and the position that it is as of. */
export type Snapshot = {
  readonly position: number
  /** The event, as bytes that all who are given it share. */
  readonly text: Buffer
}

/** What takes snapshots. */
export type Snapshots = {
  /** Rejects with a `DatabaseFailure`. */
  readonly take: (filter: FeedFilter | undefined) => Promise<Snapshot>
}

const sharing = { forMs: 500, most: callStatuses.length + 1 }

/** Builds what takes snapshots. */
export function createSnapshots(pool: Pool, gateway: string): Snapshots {
  const shared = share<Snapshot>(sharing)

  async function read({ call, status }: FeedFilter): Promise<Snapshot> {
    const floor = await readFloor(pool, { limit: floorLimits.usual, call, status }, gateway)
    const { position } = floor
    return { position, text: Buffer.from(textOf('snapshot', JSON.stringify(floor), position)) }
  }

  return {
    take: (filter = {}) => {
      const { call, status } = filter
      // Of one call a snapshot is small, and asked for once.
      return call === undefined ? shared(status ?? '', () => read(filter)) : read(filter)
    },
  }
}
