// Where the embedded server of a data directory is, for a command that runs beside the gateway.
import { join, resolve } from 'node:path'
import { clusterExists, readPassword } from './cluster.ts'
import { connectionUrl } from './connection.ts'
import { findPostmaster } from './postmaster.ts'

/** The URL of the server that runs on a data directory, with its password; undefined when none does. */
export async function findEmbeddedUrl(dataDirectory: string): Promise<string | undefined> {
  const directory = resolve(dataDirectory)
  const layout = {
    directory,
    cluster: join(directory, 'postgres'),
    password: join(directory, 'password'),
  }
  if (!clusterExists(layout)) return undefined
  const postmaster = findPostmaster(layout.cluster)
  if (postmaster === undefined) return undefined
  return connectionUrl(postmaster.port, await readPassword(layout))
}
