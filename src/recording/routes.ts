// `GET /v1/call/{call_id}/recording.wav`: the call as a WAV file, whole or in part, at the pace of the client.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { CallIdParameter } from '../calls/call-id.ts'
import type { Queryable } from '../database/statement.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import type { TrackName } from '../ledger/packet.ts'
import { parseRange } from './byte-range.ts'
import type { Measurements } from './measurements.ts'
import { TrackParameter } from './view.ts'
import { type MutedSpan, planWav, wavBytes } from './wav.ts'

/** What the routes need. */
export type RecordingRouteOptions = {
  readonly db: Queryable
  readonly measure: Measurements
  /** Where in a call (by its `id`) something was said that its transcript does not tell. */
  readonly readRedactedSpans: (call: number) => Promise<readonly MutedSpan[]>
}

const TrackQuery = Type.Object({
  track: TrackParameter('Only this track; without it, the customer left and the agent right'),
  redacted: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Whether sentences in which something was redacted are silent',
    }),
  ),
})

const audio = (description: string) => ({
  description,
  content: { 'audio/wav': { schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }) } },
})

function tagOf(muted: readonly MutedSpan[]): string {
  return createHash('sha256').update(JSON.stringify(muted)).digest('base64url').slice(0, 12)
}

/** Changes when the same packets make other bytes. */
const renderer = 1

/** The route of the recording. */
export const recordingRoutes: FastifyPluginAsyncTypebox<RecordingRouteOptions> = async (
  app,
  { db, measure, readRedactedSpans },
) => {
  /** The body of the reply; null when it has none. */
  async function answer(
    reply: FastifyReply,
    callId: string,
    track: TrackName | undefined,
    redacted: boolean,
  ): Promise<Readable | null> {
    const { headers, method } = reply.request
    const { call, ...measured } = await measure(callId)
    const muted = redacted ? await readRedactedSpans(call.id) : []
    const plan = planWav(call.id, measured, call.tracks_swapped, track, muted)
    const roles = call.tracks_swapped ? 'swapped' : 'plain'
    const silent = redacted ? `.${tagOf(muted)}` : ''
    const tag = `"${measured.state}.${track ?? roles}.${renderer}${silent}"`
    reply.headers({
      etag: tag,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-disposition': `inline; filename="${call.call_id}.wav"`,
    })
    if (
      headers['if-none-match']?.split(/\s*,\s*/).some((known) => known === tag || known === '*')
    ) {
      reply.code(304)
      return null
    }
    const isSame = headers['if-range'] === undefined || headers['if-range'] === tag
    const range = isSame ? parseRange(headers.range, plan.bytes) : undefined
    if (range === 'unsatisfiable') {
      reply.header('content-range', `bytes */${plan.bytes}`)
      throw new GatewayError('range_not_satisfiable', `The recording has ${plan.bytes} bytes`)
    }
    const { first, last } = range ?? { first: 0, last: plan.bytes - 1 }
    if (range !== undefined)
      reply.code(206).header('content-range', `bytes ${first}-${last}/${plan.bytes}`)
    reply.type('audio/wav').header('content-length', last - first + 1)
    if (method === 'HEAD') return null
    return Readable.from(wavBytes(db, plan, first, last), { objectMode: false })
  }

  const schema = { params: CallIdParameter, querystring: TrackQuery }

  app.get(
    '/v1/call/:call_id/recording.wav',
    {
      exposeHeadRoute: false,
      schema: {
        ...schema,
        operationId: 'getRecording',
        summary: 'The audio of a call as a WAV file',
        description:
          'Exact silence where packets are missing (docs/recording.md). Of a call in progress: what is there. ' +
          'A range of bytes may be asked for.',
        tags: ['calls'],
        response: {
          200: audio('The file'),
          206: audio('The range of it that was asked for'),
          304: Type.Unsafe<null>({
            type: 'null',
            description: 'The file is the one that the client has',
          }),
          ...errorReplies(
            'call_not_found',
            'no_recording',
            'range_not_satisfiable',
            'validation_failed',
            'database_unavailable',
          ),
        },
      },
    },
    ({ params, query }, reply) =>
      answer(reply, params.call_id, query.track, query.redacted ?? false),
  )

  app.head(
    '/v1/call/:call_id/recording.wav',
    { schema: { ...schema, hide: true } },
    ({ params, query }, reply) =>
      answer(reply, params.call_id, query.track, query.redacted ?? false),
  )
}
