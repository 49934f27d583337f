// `POST /v1/demo/calls`: plays a few calls of real speech to this gateway.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { errorReplies, GatewayError } from '../errors.ts'

/** What the route needs. */
export type DemoRouteOptions = {
  /** What can be played. */
  readonly protocols: readonly string[]
  /** Begins to play calls and returns their call ids; undefined while others are being played. */
  readonly play: (count: number, protocol: string) => Promise<readonly string[] | undefined>
}

const [usualCalls, mostCalls] = [3, 8]

/** `POST /v1/demo/calls`. */
export const demoRoute: FastifyPluginAsyncTypebox<DemoRouteOptions> = async (app, options) => {
  const { protocols, play } = options
  app.post(
    '/v1/demo/calls',
    {
      schema: {
        operationId: 'playDemo',
        summary: 'Play calls of real speech to this gateway, as a PBX would',
        description:
          'In real time, over the gateway’s own doors; one run at a time, of all gateways of a database.',
        tags: ['gateway'],
        body: Type.Object(
          {
            count: Type.Optional(
              Type.Integer({ minimum: 1, maximum: mostCalls, default: usualCalls }),
            ),
            protocol: Type.Optional(Type.Enum([...protocols], { type: 'string', default: 'http' })),
          },
          { title: 'Demonstration', examples: [{ count: 3, protocol: 'twilio' }] },
        ),
        response: {
          202: Type.Object({ calls: Type.Array(Type.String()) }, { title: 'DemonstrationCalls' }),
          ...errorReplies(
            'demo_running',
            'validation_failed',
            'payload_too_large',
            'unsupported_media_type',
            'database_unavailable',
          ),
        },
      },
      preValidation: async (request) => {
        request.body ??= {}
      },
    },
    async ({ body: { count = usualCalls, protocol = 'http' } }, reply) => {
      const calls = await play(count, protocol)
      if (calls === undefined)
        throw new GatewayError('demo_running', 'Calls are being played already; wait for their end')
      return reply.code(202).send({ calls: [...calls] })
    },
  )
}
