// The command line as its users have it: a process of its own, with nothing in its environment but what is given.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** No command of a test runs for so long: one that hangs is a failure, and not a test without an end. */
const longestMs = 120_000

const entry = join(import.meta.dirname, '..', '..', 'bin', 'ai-pbx-gateway.js')

/** How to start a command. */
export type CommandOptions = {
  /** The environment, besides PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** The working directory; a new, empty one for each command when it is not given. */
  readonly cwd?: string
  /** The Node.js that runs it; that of the tests when it is not given. */
  readonly node?: string
  readonly entry?: string
  /** In a process group of its own, to which signals can go, as Ctrl-C does. */
  readonly group?: boolean
}

/** How a command ended. */
export type Ended = {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs; it is killed at the end of the scope (`await using`). */
export type RunningCommand = AsyncDisposable & {
  readonly pid: number
  /** What it wrote so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Sends a signal to its process group. */
  readonly killGroup: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ended>
}

/** Starts a command, as `startCommand(['serve'], { env: { APP_PORT: '0' } })`. */
export function startCommand(
  args: readonly string[],
  options: CommandOptions = {},
): RunningCommand {
  const ownFolder = options.cwd === undefined ? temporaryFolder() : undefined
  const child = spawn(options.node ?? process.execPath, [options.entry ?? entry, ...args], {
    cwd: options.cwd ?? ownFolder?.path,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.group === true,
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const pid = child.pid ?? 0
  const killAll = (): void => {
    child.kill('SIGKILL')
    if (options.group !== true) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Nobody of the group is left.
    }
  }
  const limit = setTimeout(killAll, longestMs)
  const ended = end(child).then((code) => {
    clearTimeout(limit)
    ownFolder?.[Symbol.dispose]()
    return { code, stdout: stdout(), stderr: stderr() }
  })
  return {
    pid,
    stdout,
    stderr,
    kill: (signal) => void child.kill(signal),
    killGroup: (signal) => void process.kill(-pid, signal),
    ended,
    [Symbol.asyncDispose]: async () => {
      killAll()
      await ended
    },
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  await using command = startCommand(args, options)
  return await command.ended
}

/** An empty folder, removed at the end of the scope (`using`). */
export function temporaryFolder(parent = tmpdir()): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, 'gateway-command-'))
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 20 }),
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

/** The end of a process, after its last word. */
async function end(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return code ?? signal ?? 0
}
