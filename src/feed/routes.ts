// The feed over WebSocket: `/ws` and `/ws/{client_id}`. Clients of one name are clients of their own; a client
// that does not read is cut off at a number of bytes and disturbs nobody.
import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '@fastify/websocket'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { errorReplies, GatewayError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Feed } from './feed.ts'
import { connectedMessage, pongMessage } from './messages.ts'

/** What the routes need. */
export type FeedRouteOptions = {
  readonly feed: Feed
  /** The count of clients of the whole gateway, made of that of this process. */
  readonly connections: (own: () => number) => () => Promise<number>
  readonly logger: Logger
  /** A client with more bytes than that unread is cut off; one message may always go beyond it. */
  readonly maxBufferedBytes: number
  readonly now: () => Date
}

const FeedQuery = Type.Object({
  after: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Deliver every event after this position first; without it, new events only',
    }),
  ),
})

const ClientParameter = Type.Object({
  client_id: Type.String({ minLength: 1, maxLength: 128 }),
})

const Statistics = Type.Object({
  active_connections: Type.Integer(),
  timestamp: Type.String({ format: 'date-time' }),
})

/** The close code of a client that reads too slowly (RFC 6455 registry: "Try Again Later"). */
const tryAgainLater = 1013
const pingEveryMs = 30_000
const drainPollMs = 5

/** `/ws`, `/ws/{client_id}` and `GET /ws/stats`. */
export const feedRoutes: FastifyPluginAsyncTypebox<FeedRouteOptions> = async (app, options) => {
  const { feed, connections, logger, maxBufferedBytes, now } = options
  const sockets = new Map<WebSocket, { alive: boolean }>()

  function attach(socket: WebSocket, clientId: string, after: number | undefined): void {
    const state = { alive: true }
    sockets.set(socket, state)
    const start = after ?? feed.position()

    function send(message: string): void {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount > maxBufferedBytes) {
        logger.warn(
          { client_id: clientId, buffered_bytes: socket.bufferedAmount },
          'a client of the feed reads too slowly and is cut off; it can resume by position',
        )
        socket.close(tryAgainLater, 'reads too slowly; reconnect with ?after=')
        // The close frame waits behind what the client does not read.
        socket.terminate()
        return
      }
      socket.send(message)
    }

    send(connectedMessage(clientId, start, now()))
    const unsubscribe = feed.subscribe(start, {
      deliver: send,
      drained: async () => {
        while (socket.readyState === socket.OPEN && socket.bufferedAmount > maxBufferedBytes / 4)
          await new Promise((resolve) => setTimeout(resolve, drainPollMs))
      },
      fail: () => socket.close(tryAgainLater, 'try again'),
    })
    socket.on('message', (data) => send(pongMessage(String(data), now())))
    socket.on('pong', () => {
      state.alive = true
    })
    socket.on('error', (error) =>
      logger.debug({ client_id: clientId, reason: error.message }, 'a client of the feed broke'),
    )
    socket.on('close', () => {
      unsubscribe()
      sockets.delete(socket)
    })
  }

  const pinging = setInterval(() => {
    for (const [socket, state] of sockets) {
      if (!state.alive) socket.terminate()
      state.alive = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }
  }, pingEveryMs)

  app.addHook('onClose', async () => clearInterval(pinging))

  const feedSchema = {
    tags: ['feed'],
    querystring: FeedQuery,
    description: 'A WebSocket. See docs/feed.md for its messages.',
    response: {
      101: Type.Unsafe({ type: 'null', description: 'The WebSocket is open' }),
      ...errorReplies('upgrade_required', 'validation_failed'),
    },
  }

  /** The answer to a request that asks for no WebSocket. */
  async function askForUpgrade(_request: unknown, reply: FastifyReply): Promise<never> {
    reply.headers({ upgrade: 'websocket', connection: 'upgrade' })
    throw new GatewayError('upgrade_required', 'The feed is a WebSocket')
  }

  app.route({
    method: 'GET',
    url: '/ws',
    schema: {
      ...feedSchema,
      operationId: 'openFeed',
      summary: 'Every event of every call, live',
    },
    handler: askForUpgrade,
    wsHandler: (socket, { query }) => attach(socket, randomUUID(), query.after),
  })

  app.route({
    method: 'GET',
    url: '/ws/:client_id',
    schema: {
      ...feedSchema,
      operationId: 'openFeedAs',
      summary: 'The same feed, for a client that gives its name',
      params: ClientParameter,
    },
    handler: askForUpgrade,
    wsHandler: (socket, { params, query }) => attach(socket, params.client_id, query.after),
  })

  const activeConnections = connections(() => sockets.size)

  app.get(
    '/ws/stats',
    {
      schema: {
        operationId: 'getFeedStatistics',
        summary: 'How many clients the feed has on this gateway',
        tags: ['feed'],
        response: { 200: Statistics },
      },
    },
    async () => ({
      active_connections: await activeConnections(),
      timestamp: now().toISOString(),
    }),
  )
}
