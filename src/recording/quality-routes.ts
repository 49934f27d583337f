// What is told about the audio of a call: `GET /v1/call/{call_id}/quality` and `GET /v1/call/{call_id}/peaks`.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { CallIdParameter } from '../calls/call-id.ts'
import { errorReplies } from '../errors.ts'
import { audibleTracks } from './audible-tracks.ts'
import { readPeaks } from './peaks.ts'
import { describeGaps, describeLoss, describeTrack, milliseconds, roleOf } from './quality.ts'
import type { RecordingRouteOptions } from './routes.ts'
import { countLate } from './statements.ts'
import { Peaks, Quality, TrackParameter } from './view.ts'

/** How long after a higher number a packet may come and still be of use to a listener. */
const reorderDeadlineMs = 200
const [usualPoints, mostPoints] = [1_000, 10_000]

const PeaksQuery = Type.Object({
  points: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: mostPoints,
      default: usualPoints,
      description: 'Into how many equal parts the call is divided',
    }),
  ),
  track: TrackParameter('Only this track'),
})

/** The routes of the quality and of the peaks. */
export const qualityRoutes: FastifyPluginAsyncTypebox<
  Omit<RecordingRouteOptions, 'readRedactedSpans'>
> = async (app, { db, measure }) => {
  app.get(
    '/v1/call/:call_id/quality',
    {
      schema: {
        operationId: 'getQuality',
        summary: 'What of the audio of a call was lost, where, and why',
        tags: ['calls'],
        params: CallIdParameter,
        response: {
          200: Quality,
          ...errorReplies('call_not_found', 'validation_failed', 'database_unavailable'),
        },
      },
    },
    async ({ params: { call_id } }) => {
      const { call, ...measured } = await measure(call_id)
      const tracks = []
      for (const track of measured.tracks) {
        const [counted] =
          track.late === 0 ? [] : await countLate(db, call.id, track.track, reorderDeadlineMs)
        tracks.push(describeTrack(track, call.tracks_swapped, counted?.late ?? 0))
      }
      return { call_id: call.call_id, status: call.status, ...describeLoss(measured), tracks }
    },
  )

  app.get(
    '/v1/call/:call_id/peaks',
    {
      schema: {
        operationId: 'getPeaks',
        summary: 'The waveform of a call',
        tags: ['calls'],
        params: CallIdParameter,
        querystring: PeaksQuery,
        response: {
          200: Peaks,
          ...errorReplies(
            'call_not_found',
            'no_recording',
            'validation_failed',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ params: { call_id }, query: { points = usualPoints, track: only } }) => {
      const { call, duration, tracks } = await measure(call_id)
      const shown = []
      for (const track of audibleTracks(tracks, only))
        shown.push({
          track: track.track,
          role: roleOf(track.track, call.tracks_swapped),
          start_ms: milliseconds(track.start),
          duration_ms: milliseconds(track.samples / track.rate),
          peaks: await readPeaks(db, call.id, track, duration, points),
          gaps: describeGaps(track),
          gaps_total: track.gapsTotal,
        })
      return {
        call_id: call.call_id,
        status: call.status,
        duration_ms: milliseconds(duration),
        tracks: shown,
      }
    },
  )
}
