// Packets over HTTP, one a request. It only translates: the reply leaves after the commit that holds the
// packet.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { CallIdParameter } from '../calls/call-id.ts'
import { errorReplies } from '../errors.ts'
import { isIrregular, type Ledger } from '../ledger/ledger.ts'
import { type PacketReceipt, type TrackName, trackNames } from '../ledger/packet.ts'

/** What the routes need. */
export type HttpPacketOptions = {
  readonly ledger: Ledger
  readonly now: () => Date
}

const PacketBody = Type.Object(
  {
    sequence: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "The packet's number in its track",
    }),
    data: Type.String({
      minLength: 1,
      format: 'unicode',
      description: 'The audio in base64, or any other text; it is kept as it comes',
    }),
    timestamp: Type.Number({
      exclusiveMinimum: 0,
      description: "The sender's clock, in the sender's unit",
    }),
  },
  { title: 'Packet', examples: [{ sequence: 1, data: 'audio_chunk_1', timestamp: 1732147200.02 }] },
)

const PacketQuery = Type.Object({
  track: Type.Optional(
    Type.Enum(trackNames, {
      type: 'string',
      description: 'Whose voice it is: customer, agent or bot, both',
    }),
  ),
})

const PacketReply = Type.Object(
  {
    call_id: Type.String(),
    sequence: Type.Integer(),
    status: Type.Enum(['accepted', 'accepted_with_warning'], { type: 'string' }),
    received_at: Type.String({ format: 'date-time' }),
    message: Type.String(),
    duplicate: Type.Boolean({
      description: 'The sequence was stored before; the first one counts',
    }),
    late: Type.Boolean({ description: 'A higher sequence was stored before' }),
    missing_packets: Type.String({
      description: 'What the track misses as of this packet; of more than 100 gaps the newest',
    }),
  },
  { title: 'PacketAccepted' },
)

const refusals = errorReplies(
  'validation_failed',
  'call_sealed',
  'payload_too_large',
  'unsupported_media_type',
  'overloaded',
)

/** `POST /v1/call/stream/{call_id}` and, for older clients, `POST /ingest/{call_id}`. */
export const httpPacketRoutes: FastifyPluginAsyncTypebox<HttpPacketOptions> = async (
  app,
  { ledger, now },
) => {
  function store(
    callId: string,
    track: TrackName,
    { sequence, data, timestamp }: { sequence: number; data: string; timestamp: number },
  ): Promise<PacketReceipt> {
    return ledger.store({
      callId,
      track,
      // -0 is a number of JSON and the same packet as 0.
      sequence: sequence + 0,
      timestamp,
      encoding: 'text',
      payload: Buffer.from(data),
    })
  }

  app.post(
    '/v1/call/stream/:call_id',
    {
      schema: {
        operationId: 'streamPacket',
        summary: 'Store one packet of a call',
        description:
          'The first packet creates the call. 202 means that the packet is committed to disk. Packets may ' +
          'come in any order and more than once.',
        tags: ['packets'],
        params: CallIdParameter,
        querystring: PacketQuery,
        body: PacketBody,
        response: { 202: PacketReply, ...refusals },
      },
    },
    async ({ params: { call_id }, query, body }, reply) => {
      const receipt = await store(call_id, query.track ?? 'mixed', body)
      return reply.code(202).send({
        call_id,
        sequence: body.sequence + 0,
        status: isIrregular(receipt) ? 'accepted_with_warning' : 'accepted',
        received_at: now().toISOString(),
        message: `Packet ${body.sequence + 0} received successfully`,
        duplicate: receipt.duplicate,
        late: receipt.late,
        missing_packets: receipt.missing,
      })
    },
  )

  app.post(
    '/ingest/:call_id',
    {
      schema: {
        operationId: 'ingestPacket',
        summary: 'Store one packet of a call, for older clients',
        tags: ['packets'],
        params: CallIdParameter,
        body: PacketBody,
        response: { 200: Type.Object({ status: Type.Literal('accepted') }), ...refusals },
      },
    },
    async ({ params: { call_id }, body }) => {
      await store(call_id, 'mixed', body)
      return { status: 'accepted' as const }
    },
  )
}
