// What every section of the benchmark gets: a PostgreSQL, gateways on fresh databases, meters.
import { type Cluster, migrateDatabase } from './cluster.ts'
import { cpuSecondsOf } from './proc.ts'
import { type Listening, startGateway } from './processes.ts'

/** What a section needs. */
export type Bench = {
  /** The long version, not the short one. */
  readonly full: boolean
  readonly cluster: Cluster
  /** A folder for data, removed at the end. */
  readonly folder: string
  /** Tells the person who waits. */
  readonly progress: (text: string) => void
}

/** A gateway on a fresh database; both are gone at the end of the scope (`await using`). */
export type MeasuredGateway = Listening & { readonly databaseUrl: string }

let databases = 0

/**
 * Starts a gateway on a fresh database.
 * @param prepare does something with the migrated database before
 */
export async function startMeasuredGateway(
  { cluster }: Bench,
  settings: Record<string, string> = {},
  prepare?: (databaseUrl: string) => Promise<void>,
): Promise<MeasuredGateway> {
  databases += 1
  const name = `bench_${databases}`
  const databaseUrl = await cluster.createDatabase(name)
  if (prepare !== undefined) {
    await migrateDatabase(databaseUrl)
    await prepare(databaseUrl)
  }
  const gateway = await startGateway({
    DATABASE_URL: databaseUrl,
    AI_SERVICE_FAILURE_RATE: '0',
    ...settings,
  })
  const stop = async () => {
    await gateway.stop()
    await cluster.dropDatabase(name)
  }
  return { ...gateway, databaseUrl, stop, [Symbol.asyncDispose]: stop }
}

/** Processor seconds, told apart. */
export type CpuSeconds = { readonly server: number; readonly postgres: number }

/** Starts to measure the processor time of a server and of PostgreSQL; call what it returns at the end. */
export function startCpuMeter({ cluster }: Bench, server: Listening): () => CpuSeconds {
  const before = { server: cpuSecondsOf(server.pid), postgres: cluster.cpuSeconds() }
  return () => ({
    server: cpuSecondsOf(server.pid) - before.server,
    postgres: cluster.cpuSeconds() - before.postgres,
  })
}

/** The port of a URL, for a raw socket. */
export function portOf({ url }: { readonly url: string }): number {
  return Number(new URL(url).port)
}
