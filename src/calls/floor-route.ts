// `GET /v1/floor`: what a desk shows first.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies } from '../errors.ts'
import { Floor, floorLimits, readFloor } from './floor.ts'
import { callStatuses } from './transitions.ts'

/** What the route needs. */
export type FloorRouteOptions = {
  readonly pool: Pool
  /** The name of this process. */
  readonly gateway: string
}

const FloorParameters = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: floorLimits.most, default: floorLimits.usual }),
  ),
  search: Type.Optional(
    Type.String({
      maxLength: 128,
      description:
        'A text in the call id or a party, of recent calls; or what the call id begins with, of all',
    }),
  ),
  status: Type.Optional(Type.Enum(callStatuses, { type: 'string' })),
  source: Type.Optional(
    Type.String({ maxLength: 64, description: 'The protocol; http for calls without a stream' }),
  ),
})

/** `GET /v1/floor`. */
export const floorRoute: FastifyPluginAsyncTypebox<FloorRouteOptions> = async (app, options) => {
  const { pool, gateway } = options
  app.get(
    '/v1/floor',
    {
      schema: {
        operationId: 'getFloor',
        summary: 'Live and recent calls, a line each, as of one position of the feed',
        description: 'Every event after the position is news, and nothing else is (docs/feed.md).',
        tags: ['calls'],
        querystring: FloorParameters,
        response: { 200: Floor, ...errorReplies('validation_failed', 'database_unavailable') },
      },
    },
    async ({ query: { limit = floorLimits.usual, search, ...others } }, reply) => {
      reply.header('cache-control', 'no-store')
      return await readFloor(pool, { limit, search: search || undefined, ...others }, gateway)
    },
  )
}
