// The call routes: complete one, read one, list them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies } from '../errors.ts'
import { CallIdParameter } from './call-id.ts'
import { type CompleteOnRequest, readCall } from './complete.ts'
import { countCalls, listCalls, listCallsOfStatus, settleJournals } from './statements.ts'
import { type CallStatus, callStatuses } from './transitions.ts'
import { Call, CallDetail, CallHistory, viewCall, viewCallDetail } from './view.ts'

/** What the routes need. */
export type CallRouteOptions = {
  readonly pool: Pool
  readonly complete: CompleteOnRequest
}

const defaultLimit = 100

const HistoryQuery = Type.Object({
  status: Type.Optional(Type.Enum(callStatuses, { type: 'string' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: defaultLimit })),
  cursor: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,15}$', description: 'From the reply before' }),
  ),
})

/** `POST /v1/call/complete/{call_id}`, `GET /v1/call/{call_id}`, `GET /v1/call/history`. */
export const callRoutes: FastifyPluginAsyncTypebox<CallRouteOptions> = async (app, options) => {
  const { pool, complete } = options

  // A completion has no body; whatever a client sends as one is not read.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.post(
    '/v1/call/complete/:call_id',
    {
      schema: {
        operationId: 'completeCall',
        summary: 'Say that a call is over',
        description:
          'Its analysis starts after a short grace in which late packets still count. May be repeated.',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: Call,
          ...errorReplies(
            'call_not_completable',
            'call_not_found',
            'validation_failed',
            'call_locked',
          ),
        },
      },
    },
    async ({ params: { call_id } }) => viewCall(await complete(call_id)),
  )

  app.get(
    '/v1/call/:call_id',
    {
      schema: {
        operationId: 'getCall',
        summary: 'One call',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: CallDetail,
          ...errorReplies('call_not_found', 'validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ params: { call_id } }) => viewCallDetail(await readCall(pool, call_id)),
  )

  app.get(
    '/v1/call/history',
    {
      schema: {
        operationId: 'listCalls',
        summary: 'Calls, newest first',
        tags: ['calls'],
        querystring: HistoryQuery,
        response: {
          200: CallHistory,
          ...errorReplies('validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ query: { status, limit = defaultLimit, cursor } }) => {
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
      await settleJournals(pool, 0)
      const [rows, total] = await Promise.all([
        status === undefined
          ? listCalls(pool, before, limit)
          : listCallsOfStatus(pool, status, before, limit),
        countCallsOf(pool, status),
      ])
      const last = rows.length === limit ? rows.at(-1) : undefined
      return { calls: rows.map(viewCall), total, cursor: last === undefined ? null : `${last.id}` }
    },
  )
}

async function countCallsOf(pool: Pool, status: CallStatus | undefined): Promise<number> {
  const counts = await countCalls(pool)
  return counts
    .filter((count) => status === undefined || count.status === status)
    .reduce((sum, { calls }) => sum + calls, 0)
}
