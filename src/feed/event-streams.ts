// The feed as Server-Sent Events. All clients that keep up are given the same text of a page of the log; one that
// does not is given nothing until it has read, and then the newest event of every call: no queue of its own.
import type { ServerResponse } from 'node:http'
import { readFloorCalls } from '../calls/floor.ts'
import type { Pool } from '../database/pool.ts'
import { startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type FeedEvent, readEvents } from './event-log.ts'
import type { Feed } from './feed.ts'
import type { FeedFilter } from './filter.ts'
import { inTurns } from './in-turns.ts'
import { createPages, pageSize } from './pages.ts'
import type { Resume } from './resume.ts'
import type { Snapshots } from './snapshots.ts'
import { StreamClient } from './stream-client.ts'
import {
  inPieces,
  joined,
  NewestEvents,
  type StreamEvent,
  streamEventsOf,
  textOf,
  wanted,
} from './stream-event.ts'
import type { Ticks } from './ticks.ts'

/** What the streams need. */
export type EventStreamOptions = {
  readonly pool: Pool
  readonly feed: Pick<Feed, 'position' | 'onAdvance'>
  readonly resume: Resume
  readonly snapshots: Snapshots
  readonly ticks: Ticks
  readonly logger: Logger
}

/** The running streams. */
export type EventStreams = {
  /** How many clients there are. */
  readonly count: () => number
  /**
   * Prepares a stream, after a position or from a snapshot; then it can be opened on a reply whose headers are sent.
   * Rejects with a `DatabaseFailure`.
   */
  readonly prepare: (
    after: number | undefined,
    filter: FeedFilter | undefined,
  ) => Promise<(reply: ServerResponse) => void>
  readonly stop: () => Promise<void>
}

const pollMs = 500
/** Who is further behind begins anew, with a snapshot: that is less to read. */
const farthestBehind = 10_000
/** Who was up to date and needs longer than that to be so again is slow. */
const patienceMs = 1_000
/** A slow client is not given more than that at once, in characters; else it begins anew. */
const mostConflated = 2 ** 23
const restPerClientMs = 0.01
const longestRestMs = 50
const tickMs = 1_000
const ticksPerHeartbeat = 15

/** Starts to serve event streams; without clients it does nothing. */
export function startEventStreams(options: EventStreamOptions): EventStreams {
  const { pool, feed, resume, snapshots, ticks, logger } = options
  const clients = new Set<StreamClient>()
  const live = new Set<StreamClient>()
  const readPage = createPages(pool, textsOf)
  /** Up to where the live clients were given everything; undefined without clients. */
  let position: number | undefined
  let stopped = false

  const pulse = startPulse({
    everyMs: pollMs,
    restMs: () => Math.min(live.size * restPerClientMs, longestRestMs),
    onError: (error) => logger.error({ err: error }, 'events were not streamed; trying again'),
    run: async () => {
      while (!stopped && position !== undefined) {
        const before: number = position
        const events = await readEvents(pool, before, pageSize)
        if (events.length > 0) ticks.delivered(events)
        const texts = await textsOf(events)
        // Meanwhile all clients may have gone, and others may have come.
        if (position === before) await broadcast(before, texts)
        if (events.length < pageSize) return undefined
      }
      return undefined
    },
  })
  feed.onAdvance(() => {
    if (position !== undefined) pulse.wake()
  })

  /** The texts of events, with the lines of their calls read once. */
  async function textsOf(events: readonly FeedEvent[]): Promise<StreamEvent[]> {
    if (events.length === 0) return []
    const callIds = [...new Set(events.map(({ call_id }) => call_id))]
    return streamEventsOf(events, await readFloorCalls(pool, callIds))
  }

  async function broadcast(before: number, events: readonly StreamEvent[]): Promise<void> {
    let since = before
    for (const some of inPieces(events)) {
      const last = some.at(-1)?.position ?? since
      const all = Buffer.from(joined(some))
      position = last
      await inTurns(live, (client) => {
        // All clients have gone, and others have come.
        if (position !== last) return false
        if (client.reached >= last) return true
        const isAll = client.reached === since && client.filter === undefined
        const text = isAll ? all : joined(wanted(some, client.reached, client.filter))
        client.reached = last
        if (text.length > 0 && !client.write(text)) void bringUpToDate(client, patienceMs)
        return true
      })
      if (position !== last) return
      since = last
    }
  }

  /**
   * Serves a client from the log, as fast as it reads, until it is up to date.
   * @param patience after so many milliseconds it is given only what is newest
   */
  async function bringUpToDate(client: StreamClient, patience: number): Promise<void> {
    live.delete(client)
    const begun = performance.now()
    try {
      await client.drained()
      while (!client.isGone && position !== undefined && client.reached < position) {
        if (position - client.reached > farthestBehind) await beginAnew(client)
        else if (performance.now() - begun > patience) await giveNewest(client, position)
        else await givePage(client, position)
      }
      if (!client.isGone) live.add(client)
    } catch (error) {
      logger.error({ err: error }, 'a client of the event stream could not be brought up to date')
      client.end('try again')
    }
  }

  async function givePage(client: StreamClient, target: number): Promise<void> {
    const { items: events, reached } = await readPage(client.reached, target)
    await give(client, wanted(events, client.reached, client.filter))
    client.reached = reached
  }

  async function giveNewest(client: StreamClient, target: number): Promise<void> {
    const newest = new NewestEvents()
    let read = client.reached
    while (read < target) {
      const { items: events, reached } = await readPage(read, target)
      newest.add(wanted(events, read, client.filter))
      read = reached
      if (newest.characters > mostConflated) return await beginAnew(client)
    }
    const { conflated: calls } = newest
    if (calls > 0) client.write(textOf('conflated', JSON.stringify({ calls })))
    await give(client, newest.events)
    client.reached = read
  }

  async function give(client: StreamClient, events: readonly StreamEvent[]): Promise<void> {
    for (const some of inPieces(events)) {
      if (!client.write(joined(some))) await client.drained()
      if (client.isGone) return
    }
  }

  async function beginAnew(client: StreamClient): Promise<void> {
    const { position: head, text } = await snapshots.take(client.filter)
    client.write(textOf('resync', JSON.stringify({ position: head })))
    client.write(text)
    client.reached = head
    await client.drained()
  }

  async function tick(): Promise<void> {
    const beat = ticks.isHeartbeat(ticksPerHeartbeat)
    const text = textOf('tick', JSON.stringify(await ticks.next()))
    await inTurns(live, (client) => {
      // So that a client whose filter lets little through need not begin anew when it comes back.
      client.writeIfIdle(beat ? `: heartbeat\nid: ${client.reached}\n\n${text}` : text)
      return true
    })
  }

  let current: Promise<void> | undefined
  const ticking = setInterval(() => {
    if (live.size === 0 || current !== undefined) return
    current = tick()
      .catch((error: unknown) => logger.warn({ err: error }, 'a tick was left out'))
      .finally(() => {
        current = undefined
      })
  }, tickMs)

  return {
    count: () => clients.size,
    prepare: async (after, filter) => {
      const head = after === undefined ? undefined : await resume(after)
      const isAnew = after === undefined || head !== undefined
      const snapshot = isAnew ? await snapshots.take(filter) : undefined
      return (reply) => {
        const reached = snapshot?.position ?? after ?? 0
        const client = new StreamClient(reply, filter, reached)
        if (stopped) return client.end('the gateway restarts')
        clients.add(client)
        position ??= Math.max(feed.position(), reached)
        reply.on('close', () => {
          clients.delete(client)
          live.delete(client)
          if (clients.size === 0) position = undefined
        })
        if (head !== undefined)
          client.write(textOf('resync', JSON.stringify({ position: snapshot?.position ?? head })))
        if (snapshot !== undefined) client.write(snapshot.text)
        void bringUpToDate(client, Number.POSITIVE_INFINITY)
        pulse.wake()
      }
    },
    stop: async () => {
      stopped = true
      clearInterval(ticking)
      for (const client of clients) client.end('the gateway restarts')
      await pulse.stop()
    },
  }
}
