// `GET /asyncapi.json`: the description of what is not request and reply.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { describeChannels } from './async-api.ts'

/** What the route needs. */
export type AsyncApiRouteOptions = { readonly version: string }

/** `GET /asyncapi.json`. */
export const asyncApiRoute: FastifyPluginAsyncTypebox<AsyncApiRouteOptions> = async (
  app,
  { version },
) => {
  const document = describeChannels(version)
  app.get('/asyncapi.json', { schema: { hide: true } }, async () => document)
}
