// The PostgreSQL of the benchmark: the one that ships with the gateway, with the parameters it ships with, and a
// database for each measurement.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/database/embedded/postgres.ts'
import { migrate } from '../src/database/migrate.ts'
import { createLogger } from '../src/telemetry/logger.ts'
import { cpuSecondsOf, pidsOf, proportionalBytesOf } from './proc.ts'

/** A running PostgreSQL. */
export type Cluster = AsyncDisposable & {
  /** Its version and what of its settings decides the price of a commit, in words. */
  readonly description: string
  /** Creates an empty database and returns its URL. */
  readonly createDatabase: (name: string) => Promise<string>
  readonly dropDatabase: (name: string) => Promise<void>
  /** Processor time of all its processes so far, those that ended included. */
  readonly cpuSeconds: () => number
  /** Memory of all its processes; what they share is counted once. */
  readonly memoryBytes: () => number
  /** Stops all its processes where they are (SIGSTOP), until the scope ends or `resume` is called. */
  readonly pause: () => Disposable & { readonly resume: () => void }
}

/** Starts a new one in the folder, and breaks it in. */
export async function startCluster(folder: string): Promise<Cluster> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory: folder,
    logger: createLogger({ level: 'warn', pretty: false }),
  })
  const pidFile = await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')
  const postmaster = Number(pidFile.split('\n')[0])
  await breakIn(postgres.url)
  let paused: number[] = []

  function resume(): void {
    for (const pid of paused) signal(pid, 'SIGCONT')
    paused = []
  }

  return {
    description: await describe(postgres.url),
    createDatabase: async (name) => {
      await query(postgres.url, `CREATE DATABASE ${name}`)
      const url = new URL(postgres.url)
      url.pathname = `/${name}`
      return url.href
    },
    dropDatabase: async (name) => {
      await query(postgres.url, `DROP DATABASE ${name} WITH (FORCE)`)
    },
    cpuSeconds: () => cpuSecondsOf(postmaster),
    memoryBytes: () => proportionalBytesOf(postmaster),
    pause: () => {
      // The postmaster first, so that none is born meanwhile.
      signal(postmaster, 'SIGSTOP')
      paused = pidsOf(postmaster)
      for (const pid of paused) signal(pid, 'SIGSTOP')
      return { resume, [Symbol.dispose]: resume }
    },
    [Symbol.asyncDispose]: async () => {
      resume()
      await postgres.stop()
    },
  }
}

/** Runs one statement on a connection of its own. */
export async function query<Row extends object>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(text, [...values])).rows
  } finally {
    await client.end()
  }
}

/** Brings an empty database to the gateway's schema. */
export async function migrateDatabase(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await migrate(client)
  } finally {
    await client.end()
  }
}

/** What is stored of the calls whose id begins with a prefix. */
export type Stored = {
  readonly packets: number
  /** Numbers below the highest of their track that are not stored. */
  readonly missing: number
}

/** Counts what is stored, from the packets themselves. */
export async function countStored(url: string, prefix: string): Promise<Stored> {
  await query(url, 'SELECT settle_journals()')
  const [row] = await query<{ packets: string; highest: string }>(
    url,
    `SELECT coalesce(sum(packets), 0) AS packets, coalesce(sum(highest), 0) AS highest FROM (
       SELECT sum(cardinality(timestamps)) AS packets, max(last_sequence) AS highest
       FROM segments JOIN calls ON calls.id = call
       WHERE starts_with(call_id, $1) GROUP BY call, track) AS tracks`,
    [prefix],
  )
  const packets = Number(row?.packets)
  return { packets, missing: Number(row?.highest) - packets }
}

/**
 * Writes as much as the server caches and drops it. A server that was created a moment ago touches its memory for the first
 * time and fills each segment of its log with zeros; one that has run for a while uses both again.
 */
async function breakIn(url: string): Promise<void> {
  await query(url, 'CREATE TABLE filler (page text STORAGE PLAIN)')
  // A row of 8,000 bytes is a page.
  await query(
    url,
    `INSERT INTO filler SELECT repeat('-', 8000) FROM generate_series(1, (
       SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'))`,
  )
  await query(url, 'DROP TABLE filler')
  await query(url, 'CHECKPOINT')
}

async function describe(url: string): Promise<string> {
  const [row] = await query<Record<string, string>>(
    url,
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS commit,
       current_setting('full_page_writes') AS pages, current_setting('shared_buffers') AS buffers`,
  )
  if (row?.fsync !== 'on' || row.commit !== 'on')
    throw new Error('the benchmark is worth nothing without fsync and synchronous_commit')
  return `PostgreSQL ${row.version} with fsync ${row.fsync}, synchronous_commit ${row.commit}, \
full_page_writes ${row.pages}, shared_buffers ${row.buffers}, all of them used before`
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
