// Starts what is measured and what measures: gateways from bin/, bare servers, load processes. Whatever happens,
// none of them outlives the benchmark.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuSecondsOf } from './proc.ts'

const root = join(import.meta.dirname, '..')
const longestTail = 4_000

/** A process that listens; it is stopped at the end of the scope (`await using`). */
export type Listening = AsyncDisposable & {
  readonly url: string
  readonly pid: number
  /** From the start of the process until it took requests, in seconds. */
  readonly readyAfter: number
  readonly cpuSeconds: () => number
  readonly stop: () => Promise<void>
}

type Child = ChildProcess & { readonly pid: number; readonly stdout: Readable }

const running = new Set<ChildProcess>()
let ending = false

/** Ends every process that was started here, at once. */
export function killAll(): void {
  ending = true
  for (const child of running) child.kill('SIGKILL')
}

/** Starts a gateway with the settings given and waits until it is ready. */
export async function startGateway(settings: Record<string, string>): Promise<Listening> {
  const began = performance.now()
  const script = join(root, 'bin', 'ai-pbx-gateway.js')
  const { child, tail } = launch(process.execPath, [script, 'serve'], {
    APP_PORT: '0',
    AUDIOSOCKET_PORT: 'off',
    ...settings,
  })
  const url = await firstOf(child, 'the gateway', tail, (line) => {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
    return msg === 'gateway ready' ? url : undefined
  })
  return listening(child, 'the gateway', url, (performance.now() - began) / 1_000, tail)
}

/** Starts a bare server, the honest floor of a comparison: a script that prints its port. */
export async function startBareServer(script: URL): Promise<Listening> {
  const { child, tail } = launch(process.execPath, [fileURLToPath(script)])
  const port = await firstOf(child, 'the bare server', tail, (line) => line)
  return listening(child, 'the bare server', `http://127.0.0.1:${port}`, 0, tail)
}

/**
 * Runs load processes, one for each of the options, until all have ended. They begin together, once all are
 * ready.
 * @param script prints `ready`, waits for a line, and at its end prints its figures as JSON
 * @param onStart called when they begin
 */
export async function runLoads<Figures>(
  script: URL,
  options: readonly object[],
  onStart: () => void = () => {},
): Promise<Figures[]> {
  const loads = options.map((each) => {
    const words = [fileURLToPath(script), JSON.stringify(each)]
    const { child, tail } = launch(process.execPath, words, {}, 'pipe')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const read = async () => {
      const line = await lines.next()
      if (line.done === true) {
        // What it says of the reason may still be on its way.
        await pause(200)
        throw new Error(`a load process ended early: ${tail()}`)
      }
      return String(line.value)
    }
    return { child, read }
  })
  try {
    await Promise.all(loads.map(({ read }) => read()))
    onStart()
    for (const { child } of loads) child.stdin?.write('go\n')
    return await Promise.all(loads.map(async ({ read }) => JSON.parse(await read()) as Figures))
  } finally {
    for (const { child } of loads) await end(child, 'SIGKILL')
  }
}

/** Runs one load process. */
export async function runLoad<Figures>(
  script: URL,
  options: object,
  onStart?: () => void,
): Promise<Figures> {
  const [figures] = await runLoads<Figures>(script, [options], onStart)
  if (figures === undefined) throw new Error('the load has no figures')
  return figures
}

/** Runs a program to its end; what it printed. */
export async function runProgram(
  file: string,
  words: readonly string[],
  environment: Record<string, string>,
): Promise<string> {
  const { child, tail } = launch(file, words, environment)
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${file} failed: ${tail()}`)
  return output
}

function launch(
  file: string,
  words: readonly string[],
  environment: Record<string, string> = {},
  stdin: 'pipe' | 'ignore' = 'ignore',
): { child: Child; tail: () => string } {
  const child = spawn(file, words, {
    cwd: root,
    env: { PATH: process.env.PATH, ...environment },
    stdio: [stdin, 'pipe', 'pipe'],
  })
  if (child.pid === undefined) throw new Error(`${file} cannot be started`)
  running.add(child)
  child.on('exit', () => running.delete(child))
  let tail = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      tail = (tail + String(chunk)).slice(-longestTail)
    })
  return { child: child as Child, tail: () => tail.trim() }
}

/** Waits for the first line of a program of which `find` makes something. */
async function firstOf(
  child: Child,
  name: string,
  tail: () => string,
  find: (line: string) => string | undefined,
): Promise<string> {
  const lines = createInterface({ input: child.stdout })
  const found = Promise.withResolvers<string>()
  lines.on('line', (line) => {
    const value = line === '' ? undefined : find(line)
    if (value !== undefined) found.resolve(value)
  })
  child.on('exit', () => found.reject(new Error(`${name} ended before it was ready: ${tail()}`)))
  try {
    return await found.promise
  } finally {
    // The interface is done; what the program says from now on must still be read.
    lines.removeAllListeners('line')
    lines.close()
    child.stdout.resume()
  }
}

function listening(
  child: Child,
  name: string,
  url: string,
  readyAfter: number,
  tail: () => string,
): Listening {
  let stopping = false
  child.on('exit', (code, signal) => {
    if (!stopping && !ending)
      console.error(`${name} ended by itself (${code ?? signal}): ${tail()}`)
  })
  const stop = () => {
    stopping = true
    return end(child, 'SIGTERM')
  }
  return {
    url,
    pid: child.pid,
    readyAfter,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function end(child: Child, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}
