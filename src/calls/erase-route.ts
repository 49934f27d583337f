// `DELETE /v1/call/{call_id}`: erases a call with all that is kept of it.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { statement } from '../database/statement.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import { CallIdParameter } from './call-id.ts'
import { callNotFound } from './complete.ts'
import type { CallStatus } from './transitions.ts'

/** What the route needs. */
export type EraseRouteOptions = {
  readonly pool: Pool
  /** Called after a call was erased: there is an event to publish. */
  readonly onEvents: () => void
}

/** Erases a call; no row for an unknown one, `erased` false when it is in use and `force` is not set. */
export const eraseCall = statement<
  [callId: string, force: boolean],
  { readonly status: CallStatus; readonly erased: boolean }
>('erase_call', 'SELECT status, erased FROM erase_call($1, $2)')

const EraseQuery = Type.Object({
  force: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Also a call in progress or in analysis; audio that comes later is a new call',
    }),
  ),
})

/** `DELETE /v1/call/{call_id}`. */
export const eraseRoute: FastifyPluginAsyncTypebox<EraseRouteOptions> = async (app, options) => {
  const { pool, onEvents } = options
  app.delete(
    '/v1/call/:call_id',
    {
      schema: {
        operationId: 'eraseCall',
        summary: 'Erase a call',
        description:
          'Its audio, transcript, result, account and events. What is left is one event, `call_erased`, with its id.',
        tags: ['calls'],
        params: CallIdParameter,
        querystring: EraseQuery,
        response: {
          204: Type.Unsafe<void>({ type: 'null', description: 'Nothing of it is left' }),
          ...errorReplies('call_not_found', 'call_in_use', 'validation_failed', 'call_locked'),
        },
      },
    },
    async ({ params: { call_id }, query: { force = false } }, reply) => {
      const [result] = await eraseCall(pool, call_id, force)
      if (result === undefined) throw callNotFound(call_id)
      if (!result.erased)
        throw new GatewayError(
          'call_in_use',
          `Call ${call_id} is in status ${result.status}; ?force=true erases it all the same`,
        )
      onEvents()
      return reply.code(204).send()
    },
  )
}
