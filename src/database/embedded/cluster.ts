// The cluster folder (PostgreSQL's data) and the password to it. A cluster either exists whole or
// not at all: initdb works in a folder beside it, and a rename is the last step, so a death in the
// middle leaves rubbish that the next start removes, and never a half-made database.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StartupError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type Account, asAccount, clusterPath } from './account.ts'
import type { Binaries } from './binaries.ts'

const unfinishedPrefix = 'postgres.unfinished-'

/** The only user of the embedded database, its owner. */
export const databaseUser = 'gateway'

/** Where the folders and files of a data directory are. */
export type Layout = {
  readonly directory: string
  readonly cluster: string
  readonly password: string
}

/** Whether there is a database in the cluster folder. */
export function clusterExists(layout: Layout): boolean {
  return existsSync(join(layout.cluster, 'PG_VERSION'))
}

/** The password of an existing cluster. */
export async function readPassword(layout: Layout): Promise<string> {
  const password = await readFile(layout.password, 'utf8').catch((error: unknown) => {
    throw new StartupError(
      `The password of the database in ${layout.cluster} cannot be read from ${layout.password}.`,
      { cause: error },
    )
  })
  return password.trim()
}

/** Makes the cluster and its password. The caller holds the lock of the folder. */
export async function createCluster(
  layout: Layout,
  account: Account,
  binaries: Binaries,
  logger: Logger,
): Promise<void> {
  await putAside(layout, logger)
  const password = randomBytes(24).toString('base64url')
  const unfinished = await mkdtemp(join(layout.directory, unfinishedPrefix))
  const cluster = join(unfinished, 'postgres')
  const passwordFile = join(unfinished, 'password')
  await mkdir(cluster, { mode: 0o700 })
  await writeDurably(passwordFile, `${password}\n`)
  if (account.kind === 'user')
    for (const path of [unfinished, cluster, passwordFile])
      await chown(path, account.uid, account.gid)
  await initdb(cluster, account, binaries)
  await writeDurably(`${layout.password}.new`, `${password}\n`)
  await rename(`${layout.password}.new`, layout.password)
  await rename(cluster, layout.cluster)
  await syncDirectory(layout.directory)
  await rm(unfinished, { recursive: true, force: true })
}

/** Removes what first starts that were killed left behind. */
export async function removeUnfinished(layout: Layout): Promise<void> {
  for (const name of readdirSync(layout.directory))
    if (name.startsWith(unfinishedPrefix))
      // An initdb that outlived its gateway may still write there; then the next start removes it.
      await rm(join(layout.directory, name), { recursive: true, force: true }).catch(() => {})
}

async function putAside(layout: Layout, logger: Logger): Promise<void> {
  if (!existsSync(layout.cluster) || readdirSync(layout.cluster).length === 0) return
  const aside = `${layout.cluster}.incomplete-${Date.now()}`
  await rename(layout.cluster, aside)
  logger.warn({ cluster: layout.cluster, aside }, 'this folder held no database and was put aside')
}

async function initdb(cluster: string, account: Account, binaries: Binaries): Promise<void> {
  const command = asAccount(account, join(binaries.directory, 'initdb'), [
    `--pgdata=${clusterPath(account, cluster)}`,
    `--username=${databaseUser}`,
    // Beside its working directory, which is the cluster: reachable for every account.
    '--pwfile=../password',
    '--auth=scram-sha-256',
    '--locale=C',
    '--encoding=UTF8',
    '--data-checksums',
    '--no-instructions',
  ])
  const options = { ...command.ids, cwd: cluster, env: binaries.environment, timeout: 120_000 }
  await promisify(execFile)(command.file, command.args, options).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error)
    throw new StartupError(`PostgreSQL cannot create a database in ${cluster}: ${text}`, {
      cause: error,
    })
  })
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flush: true })
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
