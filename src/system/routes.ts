// `GET /v1/system`: the gateways, the database, and the last hour.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Pool } from '../database/pool.ts'
import { errorReplies } from '../errors.ts'
import { figuresOf, historyOf } from './history.ts'
import { readDatabase, readGateways, readSamples } from './statements.ts'

/** What the route needs. */
export type SystemRouteOptions = { readonly pool: Pool; readonly version: string }

const time = Type.String({ format: 'date-time' })
const commitTimes = {
  commit_ms_p50: Type.Number({ description: '0 when nothing was committed' }),
  commit_ms_p99: Type.Number(),
}

const SystemReply = Type.Object(
  {
    now: time,
    version: Type.String(),
    gateways: Type.Array(
      Type.Object({
        id: Type.String(),
        host: Type.String(),
        pid: Type.Integer(),
        started_at: time,
        seen_at: time,
        live_calls: Type.Integer({ description: 'Calls of which it took packets' }),
        sockets: Type.Integer({ description: 'WebSockets and event streams' }),
        packets_per_second: Type.Number(),
        ...commitTimes,
        rss_bytes: Type.Integer(),
        event_loop_ms_p99: Type.Number({ description: 'How late its work was done' }),
      }),
      { description: 'The processes that live, as of their last ten seconds' },
    ),
    database: Type.Object({
      version: Type.String(),
      size_bytes: Type.Integer(),
      connections: Type.Integer(),
      max_connections: Type.Integer(),
      commit_ms: Type.Number({ description: 'The median of the last ten seconds' }),
    }),
    history: Type.Array(
      Type.Object({
        at: time,
        packets_per_second: Type.Number(),
        ...commitTimes,
        live_calls: Type.Integer(),
        analyses_running: Type.Integer(),
        waiting: Type.Integer({ description: 'Calls that wait for an analysis' }),
        lost_packets: Type.Integer({ description: 'That were found missing in the ten seconds' }),
        rss_bytes: Type.Integer(),
      }),
      { description: 'The last hour, every ten seconds, all gateways together' },
    ),
  },
  { title: 'System' },
)

/** `GET /v1/system`. */
export const systemRoutes: FastifyPluginAsyncTypebox<SystemRouteOptions> = async (
  app,
  { pool, version },
) => {
  app.get(
    '/v1/system',
    {
      schema: {
        operationId: 'getSystem',
        summary: 'The gateways, the database, and the last hour',
        description: 'The same from every gateway.',
        tags: ['gateway'],
        response: { 200: SystemReply, ...errorReplies('database_unavailable') },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      const [gateways, samples, [database]] = await Promise.all([
        readGateways(pool),
        readSamples(pool),
        readDatabase(pool),
      ])
      const history = historyOf(samples)
      return {
        now: (database?.now ?? new Date()).toISOString(),
        version,
        gateways: gateways.map(({ id, host, pid, started_at, seen_at }) => ({
          id,
          host,
          pid,
          started_at: started_at.toISOString(),
          seen_at: seen_at.toISOString(),
          ...figuresOf(id, samples),
        })),
        database: {
          version: database?.version ?? '',
          size_bytes: database?.size_bytes ?? 0,
          connections: database?.connections ?? 0,
          max_connections: database?.max_connections ?? 0,
          commit_ms: history.at(-1)?.commit_ms_p50 ?? 0,
        },
        history,
      }
    },
  )
}
