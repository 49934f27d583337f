// Folders, servers and gateway processes for the tests of the embedded database, and their removal.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { isPostgresOf, processBirth } from '../../../src/database/embedded/processes.ts'
import { StartupError } from '../../../src/errors.ts'
import { until } from '../../support/until.ts'

/** The folder of all folders of a test file. */
const root = mkdtempSync(join(tmpdir(), 'embedded-postgres-'))
// Unprivileged users have to pass; the data directories are closed by themselves.
chmodSync(root, 0o755)

const directories: string[] = []

/** The path of a folder that is not there yet. */
export function newDirectory(parent = root): string {
  const directory = join(parent, `data-${directories.length}`)
  directories.push(directory)
  return directory
}

/** The path of a folder that is not there yet, in one that only we may enter. */
export function newDirectoryInClosedOne(): string {
  return newDirectory(mkdtempSync(join(root, 'closed-')))
}

/** The process number of the server that runs, or did, in this data directory. */
export function serverPid(directory: string): number | undefined {
  try {
    const text = readFileSync(join(directory, 'postgres/postmaster.pid'), 'utf8')
    return Number(text.split('\n')[0])
  } catch {
    return undefined
  }
}

/** Waits for the end of a process. */
export async function gone(pid: number): Promise<void> {
  await until(`the end of process ${pid}`, () => processBirth(pid) === undefined)
}

/** A connection; the caller ends it. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
}

/** The rows of one statement. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url)
  try {
    const result = await client.query<Record<string, unknown>>(text)
    return result.rows
  } finally {
    await client.end()
  }
}

/** What is in the table `calls`. */
export async function calls(url: string): Promise<unknown[]> {
  return (await query(url, 'SELECT id FROM calls ORDER BY id')).map((row) => row.id)
}

/** Whether an error is one for the person who starts the gateway, and has these words in it. */
export function refusal(...words: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartupError, String(error))
    for (const word of words) assert.ok(error.message.includes(word), error.message)
    return true
  }
}

/** What a gateway process says. */
export type Said = { readonly event: string; readonly url?: string; readonly message?: string }

/** A gateway process. */
export type Gateway = {
  readonly pid: number
  /** The next thing that it says. */
  readonly says: () => Promise<Said>
  /** The URL of its database, once it runs. */
  readonly url: () => Promise<string>
  /** Stops it in order and waits for its end. */
  readonly stop: () => Promise<void>
  /** kill -9. */
  readonly kill: () => Promise<void>
  /** A signal to its process group: to it and to what it started and did not leave the group. */
  readonly signalGroup: (signal: NodeJS.Signals) => void
}

type GatewayOptions = {
  readonly dataDirectory: string
  readonly binDirectory?: string
  /** Replaces the search path of programs. */
  readonly path?: string
  /** The user to run as. */
  readonly uid?: number
}

const gateways = new Set<ChildProcess>()

/** Starts a gateway process. */
export function startGateway({ path, uid, ...options }: GatewayOptions): Gateway {
  const program = join(import.meta.dirname, 'gateway-process.ts')
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(path === undefined ? {} : { PATH: path }) },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const { pid } = child
  assert.ok(pid !== undefined)
  gateways.add(child)
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const says = async () => {
    const line = await lines.next()
    assert.ok(!line.done, 'the gateway process ended without a word')
    return JSON.parse(line.value) as Said
  }
  return {
    pid,
    says,
    url: async () => {
      const said = await says()
      assert.equal(said.event, 'started', said.message)
      return said.url ?? ''
    },
    stop: async () => {
      child.stdin.end()
      await ended
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    signalGroup: (signal) => process.kill(-pid, signal),
  }
}

/** Ends whatever a test left running, and removes all folders. */
export async function cleanUp(): Promise<void> {
  for (const gateway of gateways) gateway.kill('SIGKILL')
  for (const directory of directories) {
    const pid = serverPid(directory)
    if (pid === undefined || !isPostgresOf(pid, join(directory, 'postgres'))) continue
    process.kill(pid, 'SIGQUIT')
    await gone(pid)
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 20 })
}
