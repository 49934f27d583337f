// Looks at the database itself, over a connection of its own.
import pg from 'pg'
import type { Config } from '../config.ts'
import { findEmbeddedUrl } from '../database/embedded/running.ts'
import { connectionSettings } from '../database/pool.ts'
import { type Finding, found } from './finding.ts'

/** Of a connection, and of a query. */
const patienceMs = 3_000
const oldestVersion = 150_000
const slowCommitMs = 20
const commits = 5
const fewConnections = 20
const largestSkewSeconds = 2

type Facts = {
  readonly version: number
  readonly version_text: string
  readonly off: string[]
  readonly read_only: boolean
  readonly used: number
  readonly most: number
  readonly now: Date
  readonly migrations: string | null
}

/** Everything about the database. */
export async function examineDatabase(config: Config, now: () => number): Promise<Finding[]> {
  const isEmbedded = config.DATABASE_URL === null
  const url = config.DATABASE_URL ?? (await findEmbeddedUrl(config.DATA_DIR))
  if (url === undefined)
    return [
      found.problem(
        'database',
        `No embedded PostgreSQL runs on DATA_DIR ${config.DATA_DIR}.`,
        'npm start   (it is started with the gateway; run the doctor in the same folder and settings)',
      ),
    ]
  const client = new pg.Client({
    ...connectionSettings(url, 'doctor'),
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<Facts>(factsQuery)
    const [facts] = rows
    if (facts === undefined) throw new Error('it answered nothing')
    const skew = (facts.now.getTime() - now()) / 1_000
    return [
      ...judge(facts, isEmbedded),
      await timeCommits(client),
      Math.abs(skew) <= largestSkewSeconds
        ? found.ok(
            'clock',
            `This machine and the database agree to ${Math.abs(skew).toFixed(1)} s.`,
          )
        : found.problem(
            'clock',
            `The database's clock is ${skew.toFixed(1)} s off this machine's: signatures of PBXs are refused.`,
            'timedatectl set-ntp true   (on both machines)',
          ),
    ]
  } catch (error) {
    return [
      found.problem(
        'database',
        `The database does not let us in: ${error instanceof Error ? error.message : 'no answer'}.`,
        isEmbedded ? 'npm start' : 'DATABASE_URL=postgres://user:password@host:5432/database',
      ),
    ]
  } finally {
    await client.end().catch(() => {})
  }
}

const factsQuery = `SELECT
  current_setting('server_version_num')::integer AS version,
  current_setting('server_version') AS version_text,
  (SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM pg_settings
   WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'off') AS off,
  current_setting('transaction_read_only') = 'on' AS read_only,
  (SELECT count(*)::integer FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
  current_setting('max_connections')::integer AS most,
  clock_timestamp() AS now,
  to_regclass('migration_checksums')::text AS migrations`

function judge(facts: Facts, isEmbedded: boolean): Finding[] {
  const { version, version_text: text, off, read_only: readOnly, used, most } = facts
  const kind = isEmbedded ? 'The embedded PostgreSQL' : 'PostgreSQL'
  return [
    version < oldestVersion
      ? found.problem('database', `${kind} ${text} is too old.`, 'PostgreSQL 15 or later')
      : readOnly
        ? found.problem(
            'database',
            `${kind} ${text} takes no writes; perhaps it is a standby.`,
            'DATABASE_URL=… of the primary',
          )
        : facts.migrations === null
          ? found.problem('database', `${kind} ${text} has no tables yet.`, 'npm run migrate')
          : found.ok('database', `${kind} ${text} takes reads and writes.`),
    off.length === 0
      ? found.ok('durability', 'fsync, synchronous_commit and full_page_writes are on.')
      : found.problem(
          'durability',
          `Packets that were acknowledged may be lost: ${off.join(', ')} is off.`,
          off.map((name) => `ALTER SYSTEM SET ${name} = on;`).join(' ') +
            ' SELECT pg_reload_conf();',
        ),
    most - used > fewConnections
      ? found.ok('connections', `${used} of ${most} connections to the database are in use.`)
      : found.warning(
          'connections',
          `${used} of ${most} connections to the database are in use; a gateway process needs 20.`,
          `ALTER SYSTEM SET max_connections = ${most * 2};   (and restart PostgreSQL)`,
        ),
  ]
}

/** What a packet waits for: transactions that write, one after the other. */
async function timeCommits(client: pg.Client): Promise<Finding> {
  const times: number[] = []
  for (let count = 0; count < commits; count += 1) {
    const began = performance.now()
    // It is written to the log and waited for like a packet, and leaves nothing behind.
    await client.query("SELECT pg_logical_emit_message(true, 'doctor', 'commit')")
    times.push(performance.now() - began)
  }
  times.sort((one, other) => one - other)
  const median = times[Math.floor(commits / 2)] ?? 0
  const text = `A commit takes ${median.toFixed(1)} ms (median of ${commits}).`
  return median <= slowCommitMs
    ? found.ok('commit', text)
    : found.warning(
        'commit',
        `${text} Every packet waits for one.`,
        'put the database on a faster disk, or nearer',
      )
}
