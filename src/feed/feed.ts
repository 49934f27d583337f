// Every event to every supervisor, once and in order, whichever gateway it happened on. A pulse publishes what
// is new and reads what was published, here or elsewhere; PostgreSQL's NOTIFY wakes it and is never trusted
// alone. A client that lags is served from the log until it has caught up.
import pg from 'pg'
import { connectionSettings, type Pool } from '../database/pool.ts'
import { startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import { hasUnpublished, publishEvents, readEvents, readHead } from './event-log.ts'
import { eventMessage } from './messages.ts'

/** What the feed needs. */
export type FeedOptions = {
  readonly pool: Pool
  /** For the connection that listens. */
  readonly databaseUrl: string
  readonly logger: Logger
}

/** A client of the feed. */
export type Subscriber = {
  /** Takes the next message; called in order, never twice for an event. */
  readonly deliver: (message: string) => void
  /** Awaited between old events, so that a client that reads is not flooded and cut off for it. */
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
  /** Delivers every event after a position, then every new one; returns what ends the subscription. */
  readonly subscribe: (after: number, subscriber: Subscriber) => () => void
  readonly stop: () => Promise<void>
}

const pollMs = 500
const publishLimit = 2_000
const pageSize = 500

/** Starts the feed at the newest event. */
export async function startFeed({ pool, databaseUrl, logger }: FeedOptions): Promise<Feed> {
  const [head] = await readHead(pool)
  let position = head?.position ?? 0
  const live = new Set<{ reached: number; readonly subscriber: Subscriber }>()
  let stopped = false

  const pulse = startPulse({
    everyMs: pollMs,
    onError: (error) => logger.error({ err: error }, 'events were not delivered; trying again'),
    run: async () => {
      await publishAll()
      while (!stopped) {
        const events = await readEvents(pool, position, pageSize)
        for (const event of events) {
          position = event.position
          const message = eventMessage(event)
          for (const client of live) {
            // A client may have been further elsewhere than this gateway is.
            if (client.reached >= event.position) continue
            client.reached = event.position
            client.subscriber.deliver(message)
          }
        }
        if (events.length < pageSize) return undefined
      }
      return undefined
    },
  })

  async function publishAll(): Promise<void> {
    const [unpublished] = await hasUnpublished(pool)
    if (unpublished?.pending !== true) return
    while (!stopped) {
      const [result] = await publishEvents(pool, publishLimit)
      if ((result?.published ?? 0) < publishLimit) return
    }
  }

  const listener = startListener(databaseUrl, logger, pulse.wake)

  function subscribe(after: number, subscriber: Subscriber): () => void {
    const client = { reached: after, subscriber }
    let ended = false
    async function catchUp(): Promise<void> {
      while (!ended && client.reached < position) {
        const published = position
        const events = await readEvents(pool, client.reached, pageSize)
        for (const event of events) {
          if (ended || event.position > position) break
          client.reached = event.position
          subscriber.deliver(eventMessage(event))
          await subscriber.drained()
        }
        // There were fewer events than positions: calls were deleted, and their events with them.
        if (events.length < pageSize) client.reached = Math.max(client.reached, published)
      }
      if (!ended) live.add(client)
    }
    catchUp().catch((error: unknown) => {
      logger.error({ err: error }, 'a client of the feed could not be brought up to date')
      subscriber.fail()
    })
    return () => {
      ended = true
      live.delete(client)
    }
  }

  return {
    wake: pulse.wake,
    position: () => position,
    subscribe,
    stop: async () => {
      stopped = true
      await pulse.stop()
      await listener.stop()
    },
  }
}

/** Listens for what other gateways publish; reconnects for ever, since the pulse polls meanwhile. */
function startListener(
  databaseUrl: string,
  logger: Logger,
  onPublished: () => void,
): { stop: () => Promise<void> } {
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function connect(): Promise<void> {
    const next = new pg.Client(connectionSettings(databaseUrl, 'feed listener'))
    client = next
    let lost = false
    const reconnect = (): void => {
      if (lost || stopped) return
      lost = true
      timer = setTimeout(() => void connect(), 1_000)
      next.end().catch(() => logger.debug('the lost listening connection was already closed'))
    }
    next.on('error', reconnect)
    next.on('end', reconnect)
    next.on('notification', onPublished)
    try {
      await next.connect()
      await next.query('LISTEN gateway_feed')
      onPublished()
    } catch (error) {
      logger.warn({ err: error }, 'cannot listen for events; polling until it works')
      reconnect()
    }
  }

  void connect()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await client?.end()
    },
  }
}
