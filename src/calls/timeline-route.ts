// `GET /v1/call/{call_id}/timeline`: everything that happened to one call, and why it has no transcript.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies } from '../errors.ts'
import { CallIdParameter } from './call-id.ts'
import { callNotFound } from './complete.ts'
import { settleCall } from './statements.ts'
import { viewEntry } from './timeline.ts'
import { entryKinds, findCallFacts, readTimeline } from './timeline-statements.ts'
import { callStatuses } from './transitions.ts'
import { type CompletionSettings, whyNoTranscript } from './why-no-transcript.ts'

/** What the route needs. */
export type TimelineRouteOptions = CompletionSettings & { readonly pool: Pool }

const mostEntries = 1_000

const TimelineReply = Type.Object(
  {
    call_id: Type.String(),
    status: Type.Enum(callStatuses, { type: 'string' }),
    why: Type.Union([Type.String(), Type.Null()], {
      description: 'Why the call has no transcript, in words; null when it has one',
    }),
    left_out: Type.Integer({
      description: `Older entries that are not listed: the newest ${mostEntries} are`,
    }),
    entries: Type.Array(
      Type.Object({
        at: Type.String({ format: 'date-time' }),
        kind: Type.Enum(entryKinds, { type: 'string' }),
        text: Type.String({ description: 'What happened, for a person' }),
        data: Type.Record(Type.String(), Type.Any(), {
          description: 'The particulars, for a program',
        }),
      }),
      { description: 'In the order in which it happened' },
    ),
  },
  { title: 'Timeline' },
)

/** `GET /v1/call/{call_id}/timeline`. */
export const timelineRoute: FastifyPluginAsyncTypebox<TimelineRouteOptions> = async (
  app,
  { pool, ...settings },
) => {
  app.get(
    '/v1/call/:call_id/timeline',
    {
      schema: {
        operationId: 'getTimeline',
        summary: 'Everything that happened to a call, in order',
        description: 'And, in words, why it has no transcript if it has none (docs/timeline.md).',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: TimelineReply,
          ...errorReplies('call_not_found', 'validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ params: { call_id } }) => {
      await settleCall(pool, call_id)
      const [facts] = await findCallFacts(pool, call_id)
      if (facts === undefined) throw callNotFound(call_id)
      const rows = await readTimeline(pool, facts.id, mostEntries)
      return {
        call_id,
        status: facts.status,
        why: whyNoTranscript(facts, settings),
        left_out: (rows[0]?.total ?? 0) - rows.length,
        entries: rows.toReversed().map(viewEntry),
      }
    },
  )
}
