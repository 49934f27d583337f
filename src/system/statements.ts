// Gateway processes and what they did in the last hour, as the database keeps it.
import { statement } from '../database/statement.ts'

/** A process says that it lives. */
export const seeGateway = statement<
  [id: string, host: string, pid: number, version: string, startedAt: Date],
  never
>(
  'see_gateway',
  `INSERT INTO gateways (id, host, pid, version, started_at) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()`,
)

/** A process ends in order. */
export const forgetGateway = statement<[id: string], never>(
  'forget_gateway',
  'DELETE FROM gateways WHERE id = $1',
)

/** Keeps what a process did in the stretch of ten seconds that has just ended. */
export const storeSample = statement<
  [
    gateway: string,
    seconds: number,
    packets: number,
    lostPackets: number,
    commitTimes: readonly number[],
    ownCalls: number,
    sockets: number,
    rssBytes: number,
    eventLoopMs: number,
  ],
  never
>(
  'store_sample',
  `INSERT INTO system_samples (at, gateway, seconds, packets, lost_packets, commit_times, own_calls,
     sockets, rss_bytes, event_loop_ms_p99, live_calls, analyses_running, waiting)
   SELECT date_bin('10 s', clock_timestamp(), 'epoch'), $1, $2, $3, $4, $5, $6, $7, $8, $9,
     (SELECT calls FROM status_counts WHERE status = 'IN_PROGRESS'),
     count(*) FILTER (WHERE lease_owner IS NOT NULL AND status = 'PROCESSING_AI'),
     count(*) FILTER (WHERE status = 'COMPLETED'
       OR (lease_owner IS NULL AND status = 'PROCESSING_AI'))
   FROM calls
   WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')
   ON CONFLICT DO NOTHING`,
)

/** Removes what is older than an hour, and gateways that were not seen for as long. */
export const pruneSamples = statement<[], never>(
  'prune_samples',
  `WITH forgotten AS (
     DELETE FROM gateways WHERE seen_at < clock_timestamp() - interval '1 hour'
   )
   DELETE FROM system_samples WHERE at < clock_timestamp() - interval '1 hour'`,
)

/** Packets a second of all gateways but one, by their latest samples. */
export const readOthersLoad = statement<[gateway: string], { readonly packets_per_second: number }>(
  'read_others_load',
  `SELECT coalesce(sum(latest.rate), 0)::float8 AS packets_per_second FROM (
     SELECT DISTINCT ON (gateway) packets / seconds AS rate FROM system_samples
     WHERE at > clock_timestamp() - interval '25 s' AND gateway <> $1
     ORDER BY gateway, at DESC
   ) AS latest`,
)

/** What a process did in a stretch. */
export type Sample = {
  readonly at: Date
  readonly gateway: string
  readonly seconds: number
  readonly packets: number
  readonly lost_packets: number
  readonly commit_times: number[]
  readonly own_calls: number
  readonly sockets: number
  readonly rss_bytes: number
  readonly event_loop_ms_p99: number
  readonly live_calls: number
  readonly analyses_running: number
  readonly waiting: number
}

/** The samples of the last hour, oldest first. */
export const readSamples = statement<[], Sample>(
  'read_samples',
  `SELECT * FROM system_samples WHERE at > clock_timestamp() - interval '1 hour'
   ORDER BY at, gateway`,
)

/** A process that lives. */
export type LivingGateway = {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly started_at: Date
  readonly seen_at: Date
}

/** The processes that were seen in the last 35 s, which is three times. */
export const readGateways = statement<[], LivingGateway>(
  'read_gateways',
  `SELECT * FROM gateways WHERE seen_at > clock_timestamp() - interval '35 s'
   ORDER BY started_at, id`,
)

/** The database itself. */
export const readDatabase = statement<
  [],
  {
    readonly now: Date
    readonly version: string
    readonly size_bytes: number
    readonly connections: number
    readonly max_connections: number
  }
>(
  'read_database',
  `SELECT clock_timestamp() AS now, current_setting('server_version') AS version,
     pg_database_size(current_database()) AS size_bytes,
     (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
     current_setting('max_connections')::integer AS max_connections`,
)
