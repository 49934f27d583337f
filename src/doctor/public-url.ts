// Whether PUBLIC_URL leads to this gateway, as a PBX of the cloud would find it: a call is played to it, through
// whatever stands in front.
import { connect as connectTls } from 'node:tls'
import type { Config } from '../config.ts'
import { twilioProtocol } from '../simulator/protocols/twilio.ts'
import { showUrl } from './ask.ts'
import { type Finding, found } from './finding.ts'
import { playTrial } from './trial-call.ts'

const check = 'public URL'
const fewDays = 14
const patienceMs = 3_000
const proxyFix =
  'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";   (nginx; see docs/pbx/README.md)'

/** A finding, when there is a public URL. */
export async function examinePublicUrl(config: Config, gateway: string): Promise<Finding[]> {
  const { PUBLIC_URL } = config
  if (PUBLIC_URL === null) return []
  const to = PUBLIC_URL.replace(/^ws/, 'http')
  const shown = `PUBLIC_URL ${showUrl(PUBLIC_URL)}`
  const outcome = await playTrial({ protocol: twilioProtocol, to, gateway, config })
  if (outcome.result === 'refused') {
    const { reason } = outcome
    if (reason.includes('refused with 426'))
      return [
        found.problem(
          check,
          `${shown} leads to a gateway, but what stands in front does not pass on WebSockets.`,
          proxyFix,
        ),
      ]
    if (reason.includes('refused with 403'))
      return [
        found.problem(
          check,
          `${shown} leads to a gateway that refuses the signature made over it: ${showUrl(reason)}.`,
          'TWILIO_AUTH_TOKEN and PUBLIC_URL the same for the doctor, the gateway and Twilio',
        ),
      ]
    return [
      found.problem(
        check,
        `${shown} does not lead to a gateway: ${showUrl(reason)}.`,
        'PUBLIC_URL=https://…, as the PBX is told, and a proxy that passes on /media/',
      ),
    ]
  }
  if (outcome.result === 'nothing')
    return [
      found.problem(
        check,
        `${shown} takes calls, but they do not arrive here: it leads to another gateway.`,
        'PUBLIC_URL=https://…, the address of this one, or a proxy that leads here',
      ),
    ]
  const expires = to.startsWith('https:') ? await certificateDays(new URL(to)) : undefined
  return [
    expires !== undefined && expires < fewDays
      ? found.warning(
          check,
          `A call to ${shown} arrived, but its certificate ends in ${expires} days.`,
          'renew it where TLS is terminated',
        )
      : found.ok(check, `A call to ${shown} arrived here.`),
  ]
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
