// Starts what is measured: gateways from bin/, the bare server, the load.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LoadFigures } from './load.ts'

const root = join(import.meta.dirname, '..')

/** A process that listens. */
export type Listening = {
  readonly url: string
  /** From the start of the process until it took requests, in seconds. */
  readonly readyAfter: number
  readonly stop: () => Promise<void>
}

/** Starts a gateway with the settings given and waits until it is ready. */
export async function startGateway(settings: Record<string, string>): Promise<Listening> {
  const began = performance.now()
  const child = spawn(process.execPath, [join(root, 'bin', 'ai-pbx-gateway.js'), 'serve'], {
    cwd: root,
    env: { PATH: process.env.PATH, APP_PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
    if (msg !== 'gateway ready' || url === undefined) continue
    const readyAfter = (performance.now() - began) / 1_000
    child.stdout.resume()
    return { url, readyAfter, stop: () => stop(child) }
  }
  throw new Error('the gateway ended before it was ready')
}

/** Starts the bare server. */
export async function startBareServer(): Promise<Listening> {
  const child = spawn(process.execPath, [join(root, 'bench', 'bare-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { url: `http://127.0.0.1:${port}`, readyAfter: 0, stop: () => stop(child) }
}

/** Runs the load against a server. */
export async function runLoad(
  url: string,
  run: string,
  connections: number,
  calls: number,
  seconds: number,
): Promise<LoadFigures> {
  const words = [new URL(url).port, run, connections, calls, seconds].map(String)
  const child = spawn(process.execPath, [join(root, 'bench', 'load.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error('the load failed')
  return JSON.parse(output) as LoadFigures
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
