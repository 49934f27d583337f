// Looks at the running gateway from outside: whether it answers, and whether the public URL leads to it.
import { connect as connectTls } from 'node:tls'
import type { Config } from '../config.ts'
import { type Finding, found } from './finding.ts'

const patienceMs = 5_000

type Health = { readonly status?: string; readonly database?: string }

type Providers = {
  readonly providers: readonly {
    readonly name: string
    readonly state: string
    readonly health: string
    readonly last_hour: { readonly succeeded: number; readonly failed: number }
  }[]
}

/** Whether a gateway answers at a URL, and how its AI services are. */
export async function examineGateway(url: string): Promise<Finding[]> {
  const health = await readHealth(url)
  if (typeof health === 'string')
    return [found.problem('gateway', `No gateway answers at ${url}: ${health}.`, 'npm start')]
  const { status, database } = health
  if (status !== 'healthy')
    return [
      found.problem(
        'gateway',
        `The gateway at ${url} is up, and its database is ${database ?? 'unknown'}.`,
        'see what is said of the database',
      ),
    ]
  return [
    found.ok('gateway', `The gateway at ${url} is healthy.`),
    ...(await examineProviders(url)),
  ]
}

async function examineProviders(url: string): Promise<Finding[]> {
  const answer = await fetch(`${url}/v1/providers`, { signal: AbortSignal.timeout(patienceMs) })
  const { providers } = (await answer.json()) as Providers
  return providers.map(({ name, state, health, last_hour: { succeeded, failed } }) => {
    const check = `AI: ${name}`
    const requests = `${succeeded} of ${succeeded + failed} requests of the last hour succeeded.`
    if (state === 'paused')
      return found.problem(check, health, `correct the settings of ${name} (see .env.example)`)
    if (state !== 'closed')
      return found.warning(check, health, 'nothing: calls wait, and are analysed when it is back')
    if (name === 'mock')
      return found.warning(
        check,
        `The mock knows only the demo's calls; ${requests}`,
        'AI_PROVIDERS=openai   (or whisper, deepgram; see docs/providers.md)',
      )
    return found.ok(check, `${health} ${requests}`)
  })
}

/** Whether PUBLIC_URL leads to a gateway, as a PBX would find it. */
export async function examinePublicUrl({ PUBLIC_URL }: Config): Promise<Finding[]> {
  if (PUBLIC_URL === null) return []
  const url = PUBLIC_URL.replace(/^ws/, 'http')
  const health = await readHealth(url)
  if (typeof health === 'string')
    return [
      found.problem(
        'public URL',
        `PUBLIC_URL ${PUBLIC_URL} does not lead to a gateway: ${health}.`,
        'PUBLIC_URL=https://…, as the PBX is told, and a proxy that passes on everything below it',
      ),
    ]
  const expires = url.startsWith('https:') ? await certificateDays(new URL(url)) : undefined
  return [
    expires !== undefined && expires < 14
      ? found.warning(
          'public URL',
          `The certificate of ${PUBLIC_URL} ends in ${expires} days.`,
          'renew it where TLS is terminated',
        )
      : found.ok('public URL', `PUBLIC_URL ${PUBLIC_URL} leads to a gateway.`),
  ]
}

/** The health, or why there is none. */
async function readHealth(url: string): Promise<Health | string> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(patienceMs) })
    const body: unknown = await answer.json()
    if (typeof body !== 'object' || body === null || !('processor' in body))
      return `what answers there is no gateway (status ${answer.status})`
    return body as Health
  } catch (error) {
    if (!(error instanceof Error)) return String(error)
    const { cause } = error
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
    return code ?? error.message
  }
}

async function certificateDays({ hostname, port }: URL): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const socket = connectTls(
      { host: hostname, port: Number(port || 443), servername: hostname, timeout: patienceMs },
      () => {
        const until = Date.parse(socket.getPeerCertificate().valid_to)
        socket.destroy()
        resolve(Number.isNaN(until) ? undefined : Math.floor((until - Date.now()) / 86_400_000))
      },
    )
    for (const event of ['error', 'timeout'] as const)
      socket.on(event, () => {
        socket.destroy()
        resolve(undefined)
      })
  })
}
