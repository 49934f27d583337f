// `GET /v1/events`: the feed as Server-Sent Events.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { errorReplies } from '../errors.ts'
import type { EventStreams } from './event-streams.ts'
import { filterOf, filterParameters } from './filter.ts'

/** What the route needs. */
export type EventStreamRouteOptions = { readonly streams: EventStreams }

const EventsQuery = Type.Object({
  ...filterParameters,
  after: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Resume after this position; the header Last-Event-ID counts first',
    }),
  ),
})

/** Clients whose gateway restarts do not come back in the same moment: they wait 1 to 2.5 s. */
const [shortestRetryMs, retryStepMs, retrySteps] = [1_000, 100, 16]

/** `GET /v1/events`. */
export const eventStreamRoute: FastifyPluginAsyncTypebox<EventStreamRouteOptions> = async (
  app,
  { streams },
) => {
  let opened = 0
  app.addHook('preClose', streams.stop)

  app.get(
    '/v1/events',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        summary: 'The feed, as Server-Sent Events: a snapshot, then every event after it',
        description: 'See docs/feed.md for the events, and /asyncapi.json for their schemas.',
        tags: ['feed'],
        querystring: EventsQuery,
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ description: 'The position of the last event that was received' }),
          ),
        }),
        response: {
          200: {
            description: 'A stream without an end',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
          ...errorReplies('validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ headers, query }, reply) => {
      const open = await streams.prepare(
        positionOf(headers['last-event-id']) ?? query.after,
        filterOf(query),
      )
      reply.hijack()
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      opened += 1
      reply.raw.write(`retry: ${shortestRetryMs + (opened % retrySteps) * retryStepMs}\n\n`)
      open(reply.raw)
      return reply
    },
  )
}

/** An id that is none of ours is beyond every head. */
function positionOf(id: string | undefined): number | undefined {
  if (id === undefined || id === '') return undefined
  return /^\d{1,15}$/.test(id) ? Number(id) : Number.MAX_SAFE_INTEGER
}
