// How the AI services are, for people and programs: `GET /v1/providers`.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import { readBacklog } from '../calls/floor-statements.ts'
import type { Pool } from '../database/pool.ts'
import { statement } from '../database/statement.ts'
import { errorReplies } from '../errors.ts'
import type { ProviderState } from './health-statements.ts'
import { historyOf, ProviderHistory, percentile, readOutcomes } from './provider-history.ts'

/** What the route needs. */
export type ProviderRouteOptions = {
  readonly pool: Pool
  /** The providers that are asked, in their order. */
  readonly names: readonly string[]
}

type ProviderRow = {
  readonly name: string
  readonly state: ProviderState
  readonly reason: string | null
  readonly changed_at: Date
  readonly ill_since: Date | null
  readonly retry_at: Date | null
  readonly ceiling: number
  readonly allowed: number
  readonly in_flight: number
  readonly last_error: string | null
  readonly succeeded: number
  readonly failed: number
  readonly latencies: number[] | null
  readonly audio_seconds: number
  readonly input_tokens: number
  readonly output_tokens: number
}

/** The providers of these names, with what became of their requests in the last hour. */
export const readProviders = statement<[names: string[]], ProviderRow>(
  'read_providers',
  `SELECT providers.name, state, reason, changed_at, ill_since, retry_at, ceiling, allowed, last_error,
     (SELECT count(*)::integer FROM provider_requests
      WHERE provider = providers.name AND expires_at > clock_timestamp()) AS in_flight,
     hour.*
   FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place)
   JOIN providers ON providers.name = asked.name
   CROSS JOIN LATERAL (
     SELECT coalesce(sum(succeeded), 0)::integer AS succeeded,
       coalesce(sum(failed), 0)::integer AS failed,
       (SELECT array_agg(answers ORDER BY step) FROM (
          SELECT step, sum(answers)::integer AS answers
          FROM provider_outcomes AS each, unnest(each.latencies) WITH ORDINALITY AS counted (answers, step)
          WHERE each.provider = providers.name AND each.since > clock_timestamp() - interval '1 hour'
          GROUP BY step) AS steps) AS latencies,
       coalesce(sum(audio_seconds), 0)::float8 AS audio_seconds,
       coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
       coalesce(sum(output_tokens), 0)::bigint AS output_tokens
     FROM provider_outcomes
     WHERE provider = providers.name AND since > clock_timestamp() - interval '1 hour'
   ) AS hour
   ORDER BY place`,
)

const time = Type.String({ format: 'date-time' })

const ProviderReply = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum(['closed', 'open', 'half_open', 'paused'], {
      type: 'string',
      description:
        'closed: it is asked; open: it fails and is left alone; half_open: probed; paused: its settings are wrong',
    }),
    health: Type.String({ description: 'The state in words' }),
    since: Type.String({ format: 'date-time', description: 'When the state changed last' }),
    ill_since: Type.Union([time, Type.Null()], {
      description:
        'When its present trouble began, however often it was tried since; null: it is well',
    }),
    next_probe_at: Type.Union([time, Type.Null()], {
      description:
        'With the first call after this time it is tried; null: it is asked, or being tried',
    }),
    in_flight: Type.Integer(),
    allowed: Type.Integer({ description: 'Requests at once, now: it grows after an outage' }),
    limit: Type.Integer({ description: 'Requests at once, by the settings' }),
    last_error: Type.Union([Type.String(), Type.Null()]),
    last_hour: Type.Object({
      succeeded: Type.Integer(),
      failed: Type.Integer(),
      latency_p50_ms: Type.Union([Type.Integer(), Type.Null()]),
      latency_p95_ms: Type.Union([Type.Integer(), Type.Null()]),
      audio_seconds: Type.Number(),
      input_tokens: Type.Integer(),
      output_tokens: Type.Integer(),
    }),
    history: ProviderHistory,
  },
  { title: 'Provider' },
)

const ProvidersReply = Type.Object(
  {
    providers: Type.Array(ProviderReply),
    backlog: Type.Object({
      waiting: Type.Integer({ description: 'Calls that wait for an attempt' }),
      running: Type.Integer({ description: 'Calls that are being analysed' }),
      failing: Type.Integer({ description: 'Calls that failed and are tried anew' }),
      oldest_at: Type.Union([time, Type.Null()]),
    }),
  },
  { title: 'Providers' },
)

/** `GET /v1/providers`. */
export const providerRoutes: FastifyPluginAsyncTypebox<ProviderRouteOptions> = async (
  app,
  { pool, names },
) => {
  app.get(
    '/v1/providers',
    {
      schema: {
        operationId: 'listProviders',
        summary: 'How the AI services are, and what waits for them',
        description: 'The same from every gateway: their health is shared.',
        tags: ['analysis'],
        response: { 200: ProvidersReply, ...errorReplies('database_unavailable') },
      },
    },
    async () => {
      const [rows, [backlog], outcomes] = await Promise.all([
        readProviders(pool, [...names]),
        readBacklog(pool),
        readOutcomes(pool, [...names]),
      ])
      const ofProvider = Map.groupBy(outcomes, ({ provider }) => provider)
      const now = new Date()
      return {
        providers: rows.map((row) => ({
          ...viewProvider(row, now),
          history: historyOf(ofProvider.get(row.name) ?? [], now),
        })),
        backlog: {
          waiting: backlog?.waiting ?? 0,
          running: backlog?.running ?? 0,
          failing: backlog?.failing ?? 0,
          oldest_at: backlog?.oldest_at?.toISOString() ?? null,
        },
      }
    },
  )
}

function viewProvider(row: ProviderRow, now: Date): Omit<Static<typeof ProviderReply>, 'history'> {
  const { name, state, changed_at, ill_since, in_flight, allowed, ceiling, last_error } = row
  const latencies = row.latencies ?? []
  const isLeftAlone = state === 'open' || state === 'paused'
  return {
    name,
    state,
    health: describeHealth(row, now),
    since: changed_at.toISOString(),
    ill_since: ill_since?.toISOString() ?? null,
    next_probe_at: isLeftAlone ? (row.retry_at?.toISOString() ?? null) : null,
    in_flight,
    allowed: Math.floor(allowed),
    limit: ceiling,
    last_error,
    last_hour: {
      succeeded: row.succeeded,
      failed: row.failed,
      latency_p50_ms: percentile(latencies, 0.5),
      latency_p95_ms: percentile(latencies, 0.95),
      audio_seconds: row.audio_seconds,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
    },
  }
}

/** A state in words, for a person. */
export function describeHealth(
  row: Pick<
    ProviderRow,
    'state' | 'reason' | 'changed_at' | 'ill_since' | 'retry_at' | 'allowed' | 'ceiling'
  >,
  now: Date,
): string {
  const changed = row.changed_at.toISOString()
  const since = (row.ill_since ?? row.changed_at).toISOString()
  const next =
    row.retry_at === null || row.retry_at <= now
      ? 'with the next call'
      : `at ${row.retry_at.toISOString()}`
  switch (row.state) {
    case 'open':
      return `Failing since ${since} (${row.reason ?? 'no answer'}); asked again ${next}.`
    case 'paused':
      return `Not asked since ${since}, its settings are wrong: ${row.reason ?? 'it refuses us'}; tried again ${next}.`
    case 'half_open':
      return `Failing since ${since} (${row.reason ?? 'no answer'}); being tried with one request since ${changed}.`
    case 'closed':
      return row.allowed < row.ceiling
        ? `Back since ${changed}; it gets more requests bit by bit (${Math.floor(row.allowed)} of ${row.ceiling} at once).`
        : 'Well.'
  }
}
