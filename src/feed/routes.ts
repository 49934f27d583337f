// The feed over WebSocket: `/ws` and `/ws/{client_id}`. Clients of one name are clients of their own; a client
// that does not read is cut off at a number of bytes and disturbs nobody.
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '@fastify/websocket'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { readMessages } from '../border/web-socket-messages.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import { Client, type ClientOptions } from './client.ts'
import type { Feed } from './feed.ts'
import { type FeedFilter, filterOf, filterParameters } from './filter.ts'
import { connectedMessage, pongMessage, resyncMessage } from './messages.ts'
import type { Resume } from './resume.ts'

/** What the routes need. */
export type FeedRouteOptions = ClientOptions & {
  readonly feed: Feed
  readonly resume: Resume
  /** The count of clients of the whole gateway, made of that of this process. */
  readonly connections: (own: () => number) => () => Promise<number>
  readonly now: () => Date
}

const FeedQuery = Type.Object({
  ...filterParameters,
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

const pingEveryMs = 30_000
const pingPauseMs = 1_000

/** `/ws`, `/ws/{client_id}` and `GET /ws/stats`. */
export const feedRoutes: FastifyPluginAsyncTypebox<FeedRouteOptions> = async (app, options) => {
  const { feed, resume, connections, logger, now } = options
  /** Who was pinged longest ago comes first. */
  const clients = new Set<Client>()

  function attach(
    socket: WebSocket,
    connection: Socket,
    name: string,
    { after, ...filter }: { after?: number } & FeedFilter,
  ): void {
    const client = new Client(options, socket, connection, name)
    clients.add(client)
    const start = after ?? feed.position()
    client.say(connectedMessage(name, start, now()))
    let unsubscribe = () => {}
    const begin = (from: number) => {
      if (clients.has(client)) unsubscribe = feed.subscribe(from, client, filterOf(filter))
    }
    if (after === undefined || after === feed.position()) begin(start)
    else
      void resume(after).then(
        (head) => {
          if (head !== undefined) client.say(resyncMessage(head))
          begin(head ?? after)
        },
        (error: unknown) => {
          logger.error({ err: error }, 'a client of the feed could not be brought up to date')
          client.fail()
        },
      )
    readMessages(socket, { take: (bytes) => client.say(pongMessage(`${bytes}`, now())) })
    socket.on('pong', () => client.heardPong())
    // The plugin's listener takes a client's mistake for an error of ours, and keeps the request in memory.
    socket.removeAllListeners('error')
    socket.on('error', (error) => {
      logger.debug({ client_id: name, reason: error.message }, 'a client of the feed broke')
      socket.terminate()
    })
    socket.on('close', () => {
      unsubscribe()
      clients.delete(client)
    })
  }

  // An upgraded connection has no use for the reply to its request, and would keep both in memory.
  app.addHook('preHandler', async ({ ws, raw }, reply) => {
    if (ws) reply.raw.detachSocket(raw.socket)
  })

  // Not all at once: thousands of them would hold up everything else.
  const pinging = setInterval(() => {
    const due = performance.now() - pingEveryMs
    for (const client of clients) {
      if (client.pingedAt > due) break
      clients.delete(client)
      clients.add(client)
      client.ping()
    }
  }, pingPauseMs)

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
    wsHandler: (socket, { raw, query }) => attach(socket, raw.socket, randomUUID(), query),
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
    wsHandler: (socket, { raw, params, query }) =>
      attach(socket, raw.socket, params.client_id, query),
  })

  const activeConnections = connections(() => clients.size)

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
