// A gateway as its users run it: a process of its own, started from bin/, spoken to over real sockets.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const entry = join(import.meta.dirname, '..', '..', 'bin', 'ai-pbx-gateway.js')

/** One line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string }

/** A gateway process. */
export type GatewayProcess = AsyncDisposable & {
  readonly url: string
  readonly pid: number
  /** Everything logged so far. */
  readonly log: readonly LogLine[]
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
}

/** Settings for tests: a free port, a mock that answers at once and does not fail, short waits. */
const fast = {
  APP_PORT: '0',
  AUDIOSOCKET_PORT: 'off',
  LOG_LEVEL: 'info',
  COMPLETION_GRACE_SECONDS: '0',
  AI_SERVICE_FAILURE_RATE: '0',
  AI_SERVICE_MIN_LATENCY: '0',
  AI_SERVICE_MAX_LATENCY: '0',
  RETRY_INITIAL_WAIT: '0.02',
  RETRY_MAX_WAIT: '0.2',
  REDRIVE_INITIAL_WAIT: '0.2',
  REDRIVE_MAX_WAIT: '1',
  ANALYSIS_LEASE_SECONDS: '2',
  // A machine that runs many tests at once is slow; what that means for packets has tests of its own.
  PACKET_PATIENCE_SECONDS: '5',
} as const

/**
 * Starts a gateway and waits until it is ready. It is killed at the end of the scope (`await using`).
 * @param settings environment variables over the fast ones
 */
export async function startGateway(
  databaseUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [entry, 'serve'], {
    env: { PATH: process.env.PATH, ...fast, DATABASE_URL: databaseUrl, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: LogLine[] = []
  const exited = exit(child)
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  const { promise: ready, resolve } = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as LogLine
    log.push(line)
    if (line.msg === 'gateway ready') resolve(String(line.url))
  })
  const url = await Promise.race([
    ready,
    exited.then((code) => {
      throw new Error(`the gateway ended (${code}) before it was ready: ${errors}`)
    }),
  ])
  return {
    url,
    pid: child.pid ?? 0,
    log,
    kill: (signal) => void child.kill(signal),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function exit(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? signal ?? 0
}

/** Sends one packet; the answer with its parsed body. */
export async function sendPacket(
  url: string,
  callId: string,
  sequence: number,
  data = `packet ${sequence}`,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return await post(`${url}/v1/call/stream/${callId}`, { sequence, data, timestamp: sequence + 1 })
}

/** Completes a call; the answer with its parsed body. */
export async function completeCall(
  url: string,
  callId: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return await post(`${url}/v1/call/complete/${callId}`)
}

/** Reads a call; the answer with its parsed body. */
export async function getCall(
  url: string,
  callId: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return await answer(await fetch(`${url}/v1/call/${callId}`))
}

/** Posts JSON; the answer with its parsed body. */
export async function post(
  url: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const init =
    body === undefined
      ? { method: 'POST' }
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }
  return await answer(await fetch(url, init))
}

async function answer(response: Response) {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
