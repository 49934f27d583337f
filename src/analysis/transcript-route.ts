// `GET /v1/call/{call_id}/transcript`: what was said in a call, as JSON, text, SubRip or WebVTT.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { CallIdParameter } from '../calls/call-id.ts'
import { talkAsSeen } from '../calls/roles.ts'
import type { Queryable } from '../database/statement.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import { isLoss } from '../ledger/track-layout.ts'
import type { Measurements } from '../recording/measurements.ts'
import { describeGaps } from '../recording/quality.ts'
import { moodAsSeen } from './mood.ts'
import { readSteps, transcriptsOf } from './steps.ts'
import { formatCues, transcriptFormats } from './transcript-formats.ts'
import { cuesOf, type LostAudio, viewTranscript } from './transcript-view.ts'

/** What the route needs. */
export type TranscriptRouteOptions = { readonly db: Queryable; readonly measure: Measurements }

const seconds = (description: string) =>
  Type.Number({ description: `${description}, in seconds of the call` })
const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const MoodLabel = Type.Enum(['positive', 'neutral', 'negative', 'mixed'], { type: 'string' })
const Score = Type.Number({ description: '-1 (bad) to 1 (good)' })

const TranscriptReply = Type.Object(
  {
    call_id: Type.String(),
    utterances: Type.Array(
      Type.Object({
        track: orNull(
          Type.String({ description: 'As the PBX named it; null: all tracks were heard together' }),
        ),
        speaker: orNull(Type.Enum(['customer', 'agent'], { type: 'string' })),
        start: seconds('Begins'),
        end: seconds('Ends'),
        text: Type.String({ description: 'Of a stranger: never to be taken for markup' }),
        confidence: orNull(Type.Number({ minimum: 0, maximum: 1 })),
      }),
      { description: 'In the order in which it was spoken' },
    ),
    text: orNull(Type.String({ description: 'What is known of a call without utterances' })),
    lost_audio: Type.Array(
      Type.Object({ track: Type.String(), start: seconds('Begins'), end: seconds('Ends') }),
      { description: 'Where audio is missing: words may be, too' },
    ),
    redactions: Type.Array(
      Type.Object({
        class: Type.String({ examples: ['card'] }),
        start: seconds('Begins'),
        end: seconds('Ends'),
      }),
      { description: 'What was taken out before anything was stored; never its value' },
    ),
    mood: orNull(
      Type.Object(
        {
          label: MoodLabel,
          score: orNull(Score),
          tracks: Type.Record(Type.String(), Type.Object({ label: MoodLabel, score: Score }), {
            description: 'Of each track; of each speaker when they were heard together',
          }),
          over_time: Type.Array(
            Type.Object({ start: seconds('Begins'), end: seconds('Ends'), score: Score }),
            { description: 'Of the customer, in stretches of 10 s in which something was said' },
          ),
        },
        { description: 'Of the customer; null until it is judged' },
      ),
    ),
    talk: orNull(
      Type.Object(
        {
          customer: orNull(seconds('The customer spoke; null: nobody can tell who did')),
          agent: orNull(seconds('The agent spoke')),
          silence: seconds('Nobody spoke'),
          length: seconds('All of the call: less than the sum where both spoke'),
        },
        { description: 'Who spoke for how long; null until it is measured' },
      ),
    ),
  },
  { title: 'Transcript' },
)

const asText = (type: string) => ({ content: { [type]: { schema: Type.String() } } })

/** The route of transcripts. */
export const transcriptRoute: FastifyPluginAsyncTypebox<TranscriptRouteOptions> = async (
  app,
  { db, measure },
) => {
  app.get(
    '/v1/call/:call_id/transcript',
    {
      schema: {
        operationId: 'getTranscript',
        summary: 'What was said in a call',
        tags: ['calls'],
        params: CallIdParameter,
        querystring: Type.Object({
          format: Type.Optional(
            Type.Enum(['json', 'text', 'srt', 'vtt'], { type: 'string', default: 'json' }),
          ),
        }),
        response: {
          200: {
            description: 'The transcript',
            content: {
              'application/json': { schema: TranscriptReply },
              ...Object.assign(
                {},
                ...Object.values(transcriptFormats).map((type) => asText(type).content),
              ),
            },
          },
          ...errorReplies(
            'call_not_found',
            'no_transcript',
            'validation_failed',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ params: { call_id }, query: { format = 'json' } }, reply) => {
      const { call, tracks, duration } = await measure(call_id)
      const { id, tracks_swapped: swapped } = call
      const steps = await readSteps(db, id)
      const transcript = viewTranscript(transcriptsOf(steps), swapped)
      const mood = steps.find((step) => step.step === 'mood')?.result
      const talk = steps.find((step) => step.step === 'talk')?.result
      if (transcript === undefined)
        throw new GatewayError(
          'no_transcript',
          `Call ${call_id} has no transcript; GET /v1/call/${call_id}/timeline says why`,
        )
      const lost = tracks.flatMap((track) =>
        describeGaps(track).flatMap(({ cause, start_ms, duration_ms }): LostAudio[] =>
          start_ms === null || duration_ms === null || !isLoss(cause)
            ? []
            : [
                {
                  track: track.track,
                  start: start_ms / 1_000,
                  end: (start_ms + duration_ms) / 1_000,
                },
              ],
        ),
      )
      if (format === 'json')
        return reply.send({
          call_id,
          ...transcript,
          lost_audio: lost,
          mood: mood === undefined ? null : moodAsSeen(mood, swapped),
          talk: talk === undefined ? null : talkAsSeen(talk, swapped),
        })
      reply.type(transcriptFormats[format])
      return reply.send(formatCues(cuesOf(transcript, lost, duration), format))
    },
  )
}
