// How the gateway is: every figure is measured when it is asked for.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import { type Queryable, statement } from '../database/statement.ts'

const ping = statement<[], { readonly one: number }>('ping', 'SELECT 1 AS one')

/** What the routes need. */
export type HealthOptions = {
  readonly db: Queryable
  /** What the analysis of the gateway did, in all its processes. */
  readonly processor: () => Promise<Static<typeof ProcessorReply>>
}

const ProcessorReply = Type.Object(
  {
    is_running: Type.Boolean(),
    processed_count: Type.Integer({ description: 'Results stored by this gateway' }),
    ai_service_stats: Type.Object({
      total_requests: Type.Integer(),
      successful: Type.Integer(),
      failed: Type.Integer(),
      success_rate: Type.Number({ description: '0 to 1' }),
    }),
  },
  { title: 'Processor' },
)

const HealthReply = Type.Object(
  {
    status: Type.Enum(['healthy', 'unhealthy'], { type: 'string' }),
    database: Type.Enum(['connected', 'disconnected'], { type: 'string' }),
    processor: ProcessorReply,
  },
  { title: 'Health' },
)

const longestPingMs = 2_000

/** `GET /health` and `GET /stats`. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (
  app,
  { db, processor },
) => {
  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether the gateway can do its work',
        tags: ['gateway'],
        response: { 200: HealthReply, 503: HealthReply },
      },
    },
    async (_request, reply) => {
      const [connected, processed] = await Promise.all([answers(db), processor()])
      return reply.code(connected ? 200 : 503).send({
        status: connected ? 'healthy' : 'unhealthy',
        database: connected ? 'connected' : 'disconnected',
        processor: processed,
      })
    },
  )

  app.get(
    '/stats',
    {
      schema: {
        operationId: 'getStatistics',
        summary: 'What the analysis of this gateway has done',
        tags: ['gateway'],
        response: { 200: ProcessorReply },
      },
    },
    () => processor(),
  )
}

async function answers(db: Queryable): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, longestPingMs, false)
  const answered = ping(db).then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([answered, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
