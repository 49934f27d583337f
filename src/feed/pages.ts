// Pages of the event log as clients are given them. Those who come back together ask for the same ones: they are
// read once.
import type { Pool } from '../database/pool.ts'
import { type FeedEvent, readEvents } from './event-log.ts'
import { share } from './share.ts'

/** A page that is full has so many events. */
export const pageSize = 500

/** A part of the log. */
export type Page<Item> = {
  readonly items: readonly Item[]
  /** The position up to which everything is in it, or before it. */
  readonly reached: number
}

/**
 * Reads the page after a position, which is before `through`: the newest position that is known here. What is kept is
 * asked for no more once something happens. Rejects with a `DatabaseFailure`.
 */
export type Pages<Item> = (after: number, through: number) => Promise<Page<Item>>

const sharing = { forMs: 500, most: 4 }

/** Builds what reads pages; `itemsOf` makes of events what clients are given. */
export function createPages<Item>(
  pool: Pool,
  itemsOf: (events: readonly FeedEvent[]) => Iterable<Item> | Promise<Iterable<Item>>,
): Pages<Item> {
  const pages = share<Page<Item>>(sharing)
  return (after, through) =>
    pages(`${after} ${through}`, async () => {
      const events = await readEvents(pool, after, pageSize)
      const last = events.at(-1)?.position ?? after
      // There may be fewer events than positions: calls were erased, and their events with them.
      const reached = events.length < pageSize ? Math.max(last, through) : last
      return { items: [...(await itemsOf(events))], reached }
    })
}
