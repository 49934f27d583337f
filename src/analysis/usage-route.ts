// What the analysis of a call took: `GET /v1/call/{call_id}/usage`.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { CallIdParameter } from '../calls/call-id.ts'
import { findCall } from '../calls/statements.ts'
import type { Pool } from '../database/pool.ts'
import { statement } from '../database/statement.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import type { StoredStep } from './steps.ts'

/** What each step of a call took that is done, in the order in which they were done. */
export const readUsage = statement<
  [call: number],
  {
    readonly step: StoredStep['step']
    readonly track: string | null
    readonly provider: string
    readonly model: string | null
    readonly audio_seconds: number
    readonly input_tokens: number
    readonly output_tokens: number
    readonly latency_ms: number
    readonly stored_at: Date
  }
>(
  'read_usage',
  `SELECT step, nullif(track, '') AS track, provider, model, latency_ms, stored_at,
     coalesce((usage ->> 'audioSeconds')::float8, 0) AS audio_seconds,
     coalesce((usage ->> 'inputTokens')::bigint, 0) AS input_tokens,
     coalesce((usage ->> 'outputTokens')::bigint, 0) AS output_tokens
   FROM analysis_steps WHERE call = $1 ORDER BY stored_at, step, track`,
)

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const UsageReply = Type.Object(
  {
    call_id: Type.String(),
    attempts: Type.Integer({ description: 'Attempts to analyse the call, whatever came of them' }),
    audio_seconds: Type.Number({ description: 'Of all steps' }),
    input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    steps: Type.Array(
      Type.Object({
        step: Type.Enum(['transcript', 'mood', 'summary', 'talk'], { type: 'string' }),
        track: orNull(Type.String({ description: 'Null: it concerns the call' })),
        provider: Type.String({ description: 'built-in: found out without a service' }),
        model: orNull(Type.String()),
        audio_seconds: Type.Number(),
        input_tokens: Type.Integer(),
        output_tokens: Type.Integer(),
        latency_ms: Type.Number({ description: 'Of the request that was answered' }),
        stored_at: Type.String({ format: 'date-time' }),
      }),
    ),
  },
  { title: 'Usage' },
)

/** The route. */
export const usageRoute: FastifyPluginAsyncTypebox<{ readonly pool: Pool }> = async (
  app,
  { pool },
) => {
  app.get(
    '/v1/call/:call_id/usage',
    {
      schema: {
        operationId: 'getUsage',
        summary: 'What the analysis of a call took',
        description:
          'Audio, tokens and time of each step, as the services said; requests that failed are in the timeline.',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: UsageReply,
          ...errorReplies('call_not_found', 'validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ params: { call_id } }) => {
      const [call] = await findCall(pool, call_id)
      if (call === undefined) throw new GatewayError('call_not_found', `Call ${call_id} not found`)
      const steps = await readUsage(pool, call.id)
      const sum = (name: 'audio_seconds' | 'input_tokens' | 'output_tokens') =>
        steps.reduce((total, step) => total + step[name], 0)
      return {
        call_id,
        attempts: call.attempts,
        audio_seconds: sum('audio_seconds'),
        input_tokens: sum('input_tokens'),
        output_tokens: sum('output_tokens'),
        steps: steps.map((step) => ({ ...step, stored_at: step.stored_at.toISOString() })),
      }
    },
  )
}
