// Has calls analysed now that wait for another attempt: `POST /v1/call/{call_id}/reprocess`, and for all that failed
// `POST /v1/calls/reprocess`. Nothing needs it, since calls are tried anew by themselves; it is for people in a hurry.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { InvalidInput } from '../border/validation.ts'
import type { Pool } from '../database/pool.ts'
import { statement } from '../database/statement.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import { CallIdParameter } from './call-id.ts'
import { type CallStatus, callStatuses } from './transitions.ts'

/** What the routes need. */
export type ReprocessRouteOptions = {
  readonly pool: Pool
  /** Called when attempts are due. */
  readonly onDue: () => void
}

/** Makes calls due: one by its id, or failed ones that completed before a time, oldest first. */
export const reprocessCalls = statement<
  [callId: string | null, completedBefore: Date, limit: number],
  { readonly call_id: string; readonly status: CallStatus; readonly queued: boolean }
>('reprocess_calls', 'SELECT * FROM reprocess_calls($1, $2, $3)')

const mostAtOnce = 1_000

const Queued = Type.Object(
  {
    call_id: Type.String(),
    status: Type.Enum(callStatuses, { type: 'string' }),
    queued: Type.Boolean({ description: 'An attempt is due now; false: one is under way already' }),
  },
  { title: 'Queued' },
)

/** The routes. */
export const reprocessRoutes: FastifyPluginAsyncTypebox<ReprocessRouteOptions> = async (
  app,
  { pool, onDue },
) => {
  app.post(
    '/v1/call/:call_id/reprocess',
    {
      schema: {
        operationId: 'reprocessCall',
        summary: 'Analyse a call now that waits for another attempt',
        description:
          'Steps that are done are kept. A call that has its result is not analysed again.',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: Queued,
          ...errorReplies(
            'call_not_found',
            'transition_refused',
            'validation_failed',
            'call_locked',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ params: { call_id } }) => {
      const [call] = await reprocessCalls(pool, call_id, new Date(), 1)
      if (call === undefined) throw new GatewayError('call_not_found', `Call ${call_id} not found`)
      if (!call.queued && call.status !== 'PROCESSING_AI')
        throw new GatewayError(
          'transition_refused',
          call.status === 'IN_PROGRESS'
            ? `Call ${call_id} is in progress; it is analysed when it is over`
            : `Call ${call_id} has its result, in status ${call.status}`,
        )
      onDue()
      return call
    },
  )

  app.post(
    '/v1/calls/reprocess',
    {
      schema: {
        operationId: 'reprocessFailedCalls',
        summary: 'Analyse failed calls now, oldest first',
        tags: ['calls'],
        body: Type.Object({
          completed_before: Type.Optional(
            Type.String({
              format: 'date-time',
              pattern:
                '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$',
              description: 'Only those that were over before; ISO 8601',
            }),
          ),
          limit: Type.Optional(
            Type.Integer({ minimum: 1, maximum: mostAtOnce, default: mostAtOnce }),
          ),
        }),
        response: {
          200: Type.Object({ queued: Type.Integer() }, { title: 'QueuedCalls' }),
          ...errorReplies(
            'payload_too_large',
            'unsupported_media_type',
            'validation_failed',
            'call_locked',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ body: { completed_before: before, limit = mostAtOnce } }) => {
      const time = before === undefined ? new Date() : new Date(before)
      if (Number.isNaN(time.getTime()) || (before !== undefined && !isDay(before.slice(0, 10))))
        throw new InvalidInput([
          {
            type: 'datetime_parsing',
            loc: ['body', 'completed_before'],
            msg: 'Input should be a day and time that exist',
            input: before,
          },
        ])
      const calls = await reprocessCalls(pool, null, time, limit)
      onDue()
      return { queued: calls.filter(({ queued }) => queued).length }
    },
  )
}

/** JavaScript takes the 31st of February for a day of March. */
function isDay(day: string): boolean {
  const time = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day)
}
