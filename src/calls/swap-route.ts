// `POST /v1/call/{call_id}/swap`: a supervisor says that the tracks of a call have each other's roles.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies } from '../errors.ts'
import { CallIdParameter } from './call-id.ts'
import { readCall } from './complete.ts'
import { swapTracks } from './statements.ts'
import { CallDetail, viewCallDetail } from './view.ts'

/** What the route needs. */
export type SwapRouteOptions = {
  readonly pool: Pool
  /** Called after a swap: there is an event to publish. */
  readonly onEvents: () => void
}

const SwapBody = Type.Object(
  {
    swapped: Type.Optional(
      Type.Boolean({
        description:
          'true: inbound is the agent and outbound the customer. Without it the roles are exchanged.',
      }),
    ),
  },
  { title: 'Swap', examples: [{ swapped: true }] },
)

/** `POST /v1/call/{call_id}/swap`. */
export const swapRoute: FastifyPluginAsyncTypebox<SwapRouteOptions> = async (app, options) => {
  const { pool, onEvents } = options
  app.post(
    '/v1/call/:call_id/swap',
    {
      schema: {
        operationId: 'swapTracks',
        summary: 'Exchange customer and agent',
        description:
          'In any state of the call. The names in its transcription follow at once; a sentiment and a summary ' +
          'that were made with the roles as they were are not shown (docs/timeline.md).',
        tags: ['calls'],
        params: CallIdParameter,
        body: SwapBody,
        response: {
          200: CallDetail,
          ...errorReplies(
            'call_not_found',
            'validation_failed',
            'payload_too_large',
            'unsupported_media_type',
            'call_locked',
          ),
        },
      },
      preValidation: async (request) => {
        request.body ??= {}
      },
    },
    async ({ params: { call_id }, body: { swapped = null } }) => {
      const [done] = await swapTracks(pool, call_id, swapped)
      if (done !== undefined) onEvents()
      return viewCallDetail(await readCall(pool, call_id))
    },
  )
}
