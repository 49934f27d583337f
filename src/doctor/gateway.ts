// Looks at the running gateway from outside: whether it answers, and how its AI services are.
import { ask, showUrl } from './ask.ts'
import { type Finding, found } from './finding.ts'

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
  const check = 'gateway'
  const answer = await ask(`${url}/health`)
  if (typeof answer === 'string')
    return [found.problem(check, `No gateway answers at ${showUrl(url)}: ${answer}.`, 'npm start')]
  const { status, body } = answer
  if (typeof body !== 'object' || body === null || !('processor' in body))
    return [
      found.problem(
        check,
        `What answers at ${showUrl(url)} is no gateway (status ${status}).`,
        'APP_PORT=8000   (or another one that is free), and npm start',
      ),
    ]
  const { status: health, database = 'unknown' } = body as Health
  if (health !== 'healthy')
    return [
      found.problem(
        check,
        `The gateway at ${showUrl(url)} is up, and its database is ${database}.`,
        'see what is said of the database',
      ),
    ]
  return [
    found.ok(check, `The gateway at ${showUrl(url)} is healthy.`),
    ...(await examineProviders(url)),
  ]
}

async function examineProviders(url: string): Promise<Finding[]> {
  const answer = await ask(`${url}/v1/providers`)
  if (typeof answer === 'string' || answer.status !== 200) {
    const reason = typeof answer === 'string' ? answer : `status ${answer.status}`
    return [
      found.warning('AI', `How the AI services are is not told: ${reason}.`, 'run it once more'),
    ]
  }
  const { providers } = answer.body as Providers
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
