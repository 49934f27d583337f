// The server's parameters, on its command line: there they are the same after every update of the
// gateway, whatever an older one left in the folder. Durability (fsync, synchronous_commit,
// full_page_writes) is not among them: the defaults are the safe ones. Only what PostgreSQL 15
// knows.

const parameters = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Segments are written in a stream: fewer checkpoints, fewer full pages in the log.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // The rows of calls change often, and their tables should not swell between two visits.
  autovacuum_naptime: '10s',
  logging_collector: 'on',
  log_directory: 'log',
  // One file a weekday, begun anew each week: seven files, and no more.
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: 0,
  log_truncate_on_rotation: 'on',
  log_min_duration_statement: -1,
} as const

/** The arguments of `postgres` for these parameters. */
export function parameterArguments(port: number): string[] {
  return Object.entries({ ...parameters, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
}
