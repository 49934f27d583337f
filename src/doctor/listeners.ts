// Plays a short call through every listener, as the PBX of that protocol would, and looks at what arrived.
import { type Config, usualAudioSocketPort } from '../config.ts'
import type { Protocol } from '../simulator/protocol.ts'
import { protocols } from '../simulator/protocols.ts'
import { type Finding, found } from './finding.ts'
import { type Outcome, playTrial, trialSeconds } from './trial-call.ts'

/** What a protocol is signed with. */
const secrets: Readonly<Record<string, string>> = {
  twilio: 'TWILIO_AUTH_TOKEN',
  fonoster: 'FONOSTER_ACCESS_KEY_SECRET',
  genesys: 'GENESYS_API_KEY and GENESYS_CLIENT_SECRET',
}

/** A finding for every listener. */
export async function examineListeners(
  config: Config,
  gateway: string,
): Promise<readonly Finding[]> {
  return await Promise.all(
    protocols.map(async (protocol) => {
      const notPlayed = whyNotPlayed(protocol, config)
      if (notPlayed !== undefined) return found.skipped(protocol.name, notPlayed)
      return judge(protocol, await playTrial({ protocol, to: gateway, gateway, config }))
    }),
  )
}

/** The listeners of a gateway that does not answer. */
export function skipListeners(): readonly Finding[] {
  return protocols.map(({ name }) =>
    found.skipped(name, 'No call was played: the gateway must be healthy first.'),
  )
}

function whyNotPlayed({ name }: Protocol, config: Config): string | undefined {
  if (name !== 'audiosocket') return undefined
  if (config.AUDIOSOCKET_PORT === null) return 'AUDIOSOCKET_PORT is off.'
  if (config.AUDIOSOCKET_PORT === 0)
    return 'AUDIOSOCKET_PORT is 0: only the log of the gateway says which port it took.'
  return undefined
}

function judge({ name }: Protocol, outcome: Outcome): Finding {
  const look = `ai-pbx-gateway timeline ${outcome.callId}`
  if (outcome.result === 'refused') {
    const { reason } = outcome
    return found.problem(name, `A call could not be played: ${reason}.`, fixOf(name, reason))
  }
  if (outcome.result === 'nothing')
    return name === 'audiosocket'
      ? found.problem(
          name,
          'A call was played, and nothing of it arrived: something else has the port.',
          portFix,
        )
      : found.problem(name, 'A call was played, and nothing of it arrived.', look)
  const { tracks, seconds } = outcome
  return seconds === trialSeconds
    ? found.ok(name, `${trialSeconds} s of speech on ${tracks.join(' and ')} arrived whole.`)
    : found.problem(name, `Of ${trialSeconds} s of speech ${seconds} s arrived.`, look)
}

const portFix = `AUDIOSOCKET_PORT=${usualAudioSocketPort}   (or another one that is free; the same for gateway and doctor)`

function fixOf(name: string, reason: string): string {
  if (name === 'audiosocket') return portFix
  const secret = secrets[name]
  if (secret !== undefined && reason.includes('refused with 403'))
    return `run the doctor with the ${secret} and PUBLIC_URL of the gateway (in the folder of its .env)`
  return 'see the log of the gateway'
}
