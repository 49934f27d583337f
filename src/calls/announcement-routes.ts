// `/v1/media/audiosocket/{uuid}`: an AudioSocket names nothing but a UUID; whose call and voice it carries is
// announced here before it connects.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import {
  type Announcement,
  announceStream,
  findAnnouncedStream,
  withdrawAnnouncement,
} from './announced-streams.ts'
import { CallIdField } from './call-id.ts'

/** What the routes need. */
export type AnnouncementRouteOptions = { readonly pool: Pool }

const UuidParameter = Type.Object({
  uuid: Type.String({
    pattern: '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$',
    description:
      'The UUID that the dialplan gives to AudioSocket; upper and lower case are the same',
    examples: ['40325ec2-5efd-4bd3-805f-53576e581d13'],
  }),
})

const track = Type.Enum(['inbound', 'outbound', 'mixed'], {
  type: 'string',
  description: 'Whose voice it is: customer, agent or bot, both',
})
const encoding = Type.Enum(['PCMU', 'PCMA', 'L16', 'G722', 'OPUS'], {
  type: 'string',
  description: 'How the audio is coded, for a PBX whose frames say it wrongly',
})

const AnnouncementBody = Type.Object(
  { call_id: CallIdField, track, encoding: Type.Optional(encoding) },
  { title: 'Announcement', examples: [{ call_id: 'CALL-0019', track: 'inbound' }] },
)

const AnnouncementReply = Type.Object(
  {
    uuid: Type.String({ description: 'In lower case' }),
    call_id: Type.String(),
    track,
    encoding: Type.Union([encoding, Type.Null()]),
    announced_at: Type.String({
      format: 'date-time',
      description: 'It is forgotten a day later',
    }),
  },
  { title: 'AnnouncedStream' },
)

/** `PUT`, `GET` and `DELETE /v1/media/audiosocket/{uuid}`. */
export const announcementRoutes: FastifyPluginAsyncTypebox<AnnouncementRouteOptions> = async (
  app,
  { pool },
) => {
  const url = '/v1/media/audiosocket/:uuid'
  const common = { tags: ['packets'], params: UuidParameter }

  app.put(
    url,
    {
      schema: {
        ...common,
        operationId: 'announceAudioSocket',
        summary: 'Say whose call and voice an AudioSocket will carry',
        description: 'Before it connects. Again for the same UUID replaces what was said before.',
        body: AnnouncementBody,
        response: {
          200: AnnouncementReply,
          ...errorReplies(
            'validation_failed',
            'payload_too_large',
            'unsupported_media_type',
            'database_unavailable',
          ),
        },
      },
    },
    async ({ params: { uuid }, body }) => {
      const id = uuid.toLowerCase()
      const rows = await announceStream(pool, id, body.call_id, body.track, body.encoding ?? null)
      return viewOf(id, rows)
    },
  )

  const refusals = errorReplies(
    'announcement_not_found',
    'validation_failed',
    'database_unavailable',
  )

  app.get(
    url,
    {
      schema: {
        ...common,
        operationId: 'getAnnouncedAudioSocket',
        summary: 'What was announced of an AudioSocket',
        response: { 200: AnnouncementReply, ...refusals },
      },
    },
    async ({ params: { uuid } }) => {
      const id = uuid.toLowerCase()
      return viewOf(id, await findAnnouncedStream(pool, id))
    },
  )

  app.delete(
    url,
    {
      schema: {
        ...common,
        operationId: 'withdrawAudioSocket',
        summary: 'Take an announcement back',
        description: 'A connection that is open already keeps its call.',
        response: {
          204: Type.Unsafe<void>({ type: 'null', description: 'It is forgotten' }),
          ...refusals,
        },
      },
    },
    async ({ params: { uuid } }, reply) => {
      const id = uuid.toLowerCase()
      const [withdrawn] = await withdrawAnnouncement(pool, id)
      if (withdrawn === undefined) throw notFound(id)
      return reply.code(204).send()
    },
  )
}

function viewOf(uuid: string, [row]: Announcement[]): Static<typeof AnnouncementReply> {
  if (row === undefined) throw notFound(uuid)
  const { stream_id, announced_at, ...stream } = row
  return { uuid: stream_id, ...stream, announced_at: announced_at.toISOString() }
}

function notFound(uuid: string): GatewayError {
  return new GatewayError('announcement_not_found', `Nothing was announced for ${uuid}`)
}
