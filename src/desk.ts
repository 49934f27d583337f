// What the desk is built of, put together: the floor, the event stream, the system, erasing, and calls to try it with.
import type { FastifyInstance } from 'fastify'
import { eraseRoute } from './calls/erase-route.ts'
import { floorRoute } from './calls/floor-route.ts'
import type { Config } from './config.ts'
import type { Pool } from './database/pool.ts'
import { createDemonstration } from './demonstration.ts'
import { asyncApiRoute } from './feed/async-api-route.ts'
import { eventStreamRoute } from './feed/event-stream-route.ts'
import { startEventStreams } from './feed/event-streams.ts'
import type { Feed } from './feed/feed.ts'
import type { Resume } from './feed/resume.ts'
import { createSnapshots } from './feed/snapshots.ts'
import { createTicks } from './feed/ticks.ts'
import { demoRoute } from './http/demo-route.ts'
import type { Addresses } from './listeners.ts'
import { systemRoutes } from './system/routes.ts'
import { type GatewayIdentity, type Samples, startSamples } from './system/samples.ts'
import type { Logger } from './telemetry/logger.ts'

/** What the desk needs. */
export type DeskOptions = {
  readonly config: Config
  readonly pool: Pool
  readonly feed: Feed
  readonly resume: Resume
  readonly identity: GatewayIdentity
  /** Clients of the WebSockets, open now. */
  readonly webSockets: () => number
  /** Where the gateway listens; undefined until it does. */
  readonly addresses: () => Addresses | undefined
  readonly logger: Logger
}

/** The desk's parts that run. */
export type Desk = Pick<Samples, 'committed'> & { readonly stop: () => Promise<void> }

/** Starts what the desk reads, and registers its routes. */
export async function openDesk(app: FastifyInstance, options: DeskOptions): Promise<Desk> {
  const { config, pool, feed, resume, identity, webSockets, addresses, logger } = options
  const samples = startSamples({
    pool,
    identity,
    sockets: () => webSockets() + streams.count(),
    logger,
  })
  const streams = startEventStreams({
    pool,
    feed,
    resume,
    snapshots: createSnapshots(pool, identity.id),
    ticks: createTicks(pool, samples.load),
    logger,
  })
  const demonstration = createDemonstration({ config, pool, addresses, logger })
  app.addHook('preClose', demonstration.stop)
  await app.register(floorRoute, { pool, gateway: identity.id })
  await app.register(eraseRoute, { pool, onEvents: feed.wake })
  await app.register(eventStreamRoute, { streams })
  await app.register(asyncApiRoute, { version: identity.version })
  await app.register(systemRoutes, { pool, version: identity.version })
  await app.register(demoRoute, demonstration)
  return {
    committed: samples.committed,
    stop: async () => {
      await demonstration.stop()
      await streams.stop()
      await samples.stop()
    },
  }
}
