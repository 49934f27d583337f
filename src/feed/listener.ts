// The connection on which PostgreSQL says that some gateway has published events.
import pg from 'pg'
import { connectionSettings } from '../database/pool.ts'
import type { Logger } from '../telemetry/logger.ts'

/** Listens for what is published; reconnects for ever, since the feed polls meanwhile. */
export function startListener(
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
