// Every event to every supervisor, once and in order, whichever gateway it happened on. A pulse publishes what
// is new and reads what was published, here or elsewhere; PostgreSQL's NOTIFY wakes it and is never trusted
// alone. A client that lags is served from the log until it has caught up.
import type { Pool } from '../database/pool.ts'
import { startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type Batch, batchesOf } from './batch.ts'
import { publishEvents, readEvents, readHead } from './event-log.ts'
import type { FeedFilter } from './filter.ts'
import { inTurns } from './in-turns.ts'
import { startListener } from './listener.ts'
import { createPages, pageSize } from './pages.ts'

/** What the feed needs. */
export type FeedOptions = {
  readonly pool: Pool
  /** For the connection that listens. */
  readonly databaseUrl: string
  readonly logger: Logger
}

/** A client of the feed. */
export type Subscriber = {
  /**
   * Takes the frames of the next events; called in order, never twice for an event. False: it has much to read
   * and wants no more before it is drained.
   */
  readonly deliver: (frames: Buffer) => boolean
  /** Resolves when it has read what it was given, or is gone. */
  readonly drained: () => Promise<void>
  /** The client cannot be brought up to date now; it should reconnect and ask again. */
  readonly fail: () => void
}

/** The running feed. */
export type Feed = {
  /** Events were written: publish and deliver them. */
  readonly wake: () => void
  /** The position up to which events were delivered here. */
  readonly position: () => number
  /** Calls back whenever there are events after the position before. */
  readonly onAdvance: (advanced: () => void) => void
  /**
   * Delivers every event after a position, then every new one, if they pass the filter; returns what ends the
   * subscription.
   */
  readonly subscribe: (after: number, subscriber: Subscriber, filter?: FeedFilter) => () => void
  readonly stop: () => Promise<void>
}

const pollMs = 500
const publishLimit = 2_000
/** Half of what writing to a client takes, about, in milliseconds: the feed rests a third of the time. */
const restPerClientMs = 0.005
const longestRestMs = 50

type Subscription = {
  reached: number
  ended: boolean
  readonly subscriber: Subscriber
  readonly filter: FeedFilter | undefined
}

/** Starts the feed at the newest event. */
export async function startFeed({ pool, databaseUrl, logger }: FeedOptions): Promise<Feed> {
  const [head] = await readHead(pool)
  let position = head?.position ?? 0
  const live = new Set<Subscription>()
  const listeners: (() => void)[] = []
  let stopped = false

  const readPage = createPages(pool, batchesOf)

  const pulse = startPulse({
    everyMs: pollMs,
    restMs: () => Math.min(live.size * restPerClientMs, longestRestMs),
    onError: (error) => logger.error({ err: error }, 'events were not delivered; trying again'),
    run: async () => {
      await publishAll()
      while (!stopped) {
        const events = await readEvents(pool, position, pageSize)
        for (const batch of batchesOf(events)) await deliver(batch)
        if (events.length > 0) for (const advanced of listeners) advanced()
        if (events.length < pageSize) return undefined
      }
      return undefined
    },
  })

  /** Delivers to all who are up to date; who joins them meanwhile is further than the batch. */
  function deliver(batch: Batch): Promise<void> {
    position = batch.last
    return inTurns(live, (client) => {
      // A client may have been further elsewhere than this gateway is.
      if (client.reached < position && !give(client, batch)) void catchUp(client)
      return true
    })
  }

  /** Gives a client what it is to hear of a batch; false: it wants no more for now. */
  function give(client: Subscription, batch: Batch): boolean {
    const frames = batch.after(client.reached, client.filter)
    client.reached = batch.last
    return frames.length === 0 || client.subscriber.deliver(frames)
  }

  async function publishAll(): Promise<void> {
    while (!stopped) {
      const [result] = await publishEvents(pool, publishLimit)
      if ((result?.published ?? 0) < publishLimit) return
    }
  }

  const listener = startListener(databaseUrl, logger, pulse.wake)

  /** Serves a client from the log, as fast as it reads, until it is up to date. */
  async function catchUp(client: Subscription): Promise<void> {
    const { subscriber } = client
    live.delete(client)
    try {
      await subscriber.drained()
      while (!client.ended && client.reached < position) {
        const { items: batches, reached } = await readPage(client.reached, position)
        for (const batch of batches) {
          if (client.ended) return
          give(client, batch)
          await subscriber.drained()
        }
        client.reached = reached
      }
      if (!client.ended) live.add(client)
    } catch (error) {
      logger.error({ err: error }, 'a client of the feed could not be brought up to date')
      subscriber.fail()
    }
  }

  function subscribe(after: number, subscriber: Subscriber, filter?: FeedFilter): () => void {
    const client = { reached: after, ended: false, subscriber, filter }
    void catchUp(client)
    return () => {
      client.ended = true
      live.delete(client)
    }
  }

  return {
    wake: pulse.wake,
    position: () => position,
    onAdvance: (advanced) => void listeners.push(advanced),
    subscribe,
    stop: async () => {
      stopped = true
      await pulse.stop()
      await listener.stop()
    },
  }
}
