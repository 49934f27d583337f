// Packets over HTTP: one a request, or many as lines or as an array. It only translates: the reply leaves
// after the commit that holds the packets.
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { encodingRefusal } from '../border/content-encoding.ts'
import { compileValidator } from '../border/validation.ts'
import { CallIdParameter } from '../calls/call-id.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { TrackName } from '../ledger/packet.ts'
import type { DeclaredFormats } from './declared-formats.ts'
import { replyEarly } from './early-reply.ts'
import {
  declaredFormat,
  PacketBody,
  PacketOrPackets,
  PacketQuery,
  PacketReply,
  StreamedPacketBody,
} from './packet-body.ts'
import { createPacketIntake, type PacketIntake } from './packet-intake.ts'
import { PacketSummary, storeLines } from './packet-summary.ts'

/** What the routes need. */
export type HttpPacketOptions = {
  readonly intake: Pick<PacketIntake, 'take'>
  readonly ledger: Ledger
  readonly formats: DeclaredFormats
  readonly now: () => Date
  /** The longest line of a stream, in bytes. */
  readonly longestLine: number
}

const lines = 'application/x-ndjson'

/** The body is checked by the intake, which tells lines, arrays and packets apart. */
const compileAllButBodies: FastifySchemaCompiler<TSchema> = (part) =>
  part.httpPart === 'body' ? () => true : compileValidator(part)

const refusals = errorReplies(
  'validation_failed',
  'call_sealed',
  'payload_too_large',
  'unsupported_media_type',
  'overloaded',
)

/** Those of requests of which a part may be done: they say how much. */
const refusalsWithCounts = Object.fromEntries(
  [409, 422, 503].map((status) => {
    const { [status]: refusal = Type.Any() } = refusals
    const description = 'description' in refusal ? String(refusal.description) : ''
    return [status, Type.Intersect([refusal, Type.Partial(PacketSummary)], { description })]
  }),
)

/** `POST /v1/call/stream/{call_id}` and, for older clients, `POST /ingest/{call_id}`. */
export const httpPacketRoutes: FastifyPluginAsyncTypebox<HttpPacketOptions> = async (
  app,
  { intake, ledger, formats, now, longestLine },
) => {
  function take(
    into: Pick<PacketIntake, 'take'>,
    callId: string,
    track: TrackName,
    body: unknown,
  ): Promise<string> {
    return new Promise((accepted, refused) => into.take(callId, track, body, { accepted, refused }))
  }

  const streams = new Set<() => void>()
  app.addHook('preClose', async () => {
    for (const leave of streams) leave()
  })

  async function takeLines(
    into: Pick<Ledger, 'append'>,
    callId: string,
    track: TrackName,
    body: Readable,
  ) {
    // The request must outlive its reading, for the answer.
    const chunks = body.iterator({ destroyOnReturn: false })
    const { promise: leaving, resolve: leave } = Promise.withResolvers<void>()
    streams.add(leave)
    try {
      return await storeLines({ ledger: into, callId, track, now }, chunks, longestLine, leaving)
    } catch (error) {
      if (body.errored === null) throw error
      throw new GatewayError('malformed_request', 'The stream broke off before its end')
    } finally {
      streams.delete(leave)
    }
  }

  const streamRoute: FastifyPluginAsyncTypebox = async (scope) => {
    scope.addContentTypeParser(lines, (request, payload, done) =>
      done(encodingRefusal(request.headers) ?? null, payload),
    )
    scope.addHook('onSend', replyEarly)

    scope.post(
      '/v1/call/stream/:call_id',
      {
        validatorCompiler: compileAllButBodies,
        schema: {
          operationId: 'streamPacket',
          summary: 'Store packets of a call',
          description:
            'One packet, an array of packets, or a stream of lines with a packet each (docs/streams.md). The ' +
            'first packet creates the call. 202 means that every packet is committed to disk. Packets may ' +
            'come in any order and more than once.',
          tags: ['packets'],
          params: CallIdParameter,
          querystring: PacketQuery,
          body: {
            content: {
              'application/json': { schema: PacketOrPackets },
              [lines]: { schema: StreamedPacketBody },
            },
          },
          response: {
            202: Type.Unsafe<string>(Type.Union([PacketReply, PacketSummary])),
            ...refusals,
            ...refusalsWithCounts,
          },
        },
      },
      async ({ params: { call_id }, query, body }, reply) => {
        const { track = 'mixed' } = query
        const format = declaredFormat(query)
        const into = format === undefined ? undefined : formats.ledgerFor(format)
        try {
          const answer =
            body instanceof Readable
              ? JSON.stringify(await takeLines(into ?? ledger, call_id, track, body))
              : await take(into ? createPacketIntake(into, now) : intake, call_id, track, body)
          reply.code(202).type('application/json; charset=utf-8').serializer(String)
          return answer
        } finally {
          await into?.declared()
        }
      },
    )
  }
  // Within it alone lines are read.
  await app.register(streamRoute)

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
      await take(intake, call_id, 'mixed', body)
      return { status: 'accepted' as const }
    },
  )
}
