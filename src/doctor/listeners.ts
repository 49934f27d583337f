// Plays a short call through every listener, as the PBX of that protocol would, and looks at what arrived.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Config } from '../config.ts'
import { systemClock } from '../simulator/clock.ts'
import type { Protocol } from '../simulator/protocol.ts'
import { protocols } from '../simulator/protocols.ts'
import { loadRecordings, packetBytes } from '../simulator/recordings.ts'
import { splitVoices, type Voices } from '../simulator/voices.ts'
import { type Finding, found } from './finding.ts'

const packets = 100
/** Faster than life: two seconds of speech in a fifth of that. */
const rate = 5
const patienceMs = 5_000
const pollMs = 100

type StoredCall = { readonly total_packets: number; readonly missing_count: number }

/** A finding for every listener. */
export async function examineListeners(config: Config, url: string): Promise<Finding[]> {
  const voices = await shortVoices()
  return await Promise.all(
    protocols.map(async (protocol) => {
      if (protocol.name === 'audiosocket' && config.AUDIOSOCKET_PORT === null)
        return found.skipped(protocol.name, 'AUDIOSOCKET_PORT is off.')
      return await examine(protocol, voices, config, url)
    }),
  )
}

async function examine(
  protocol: Protocol,
  voices: Voices,
  config: Config,
  url: string,
): Promise<Finding> {
  const callId = callIdFor(protocol)
  try {
    const sent = await protocol.play({
      url,
      ...(typeof config.AUDIOSOCKET_PORT === 'number'
        ? { audioSocketPort: config.AUDIOSOCKET_PORT }
        : {}),
      callId,
      voices,
      rate,
      clock: systemClock,
      signal: AbortSignal.timeout(patienceMs),
      secrets: {
        publicUrl: config.PUBLIC_URL ?? undefined,
        twilioAuthToken: config.TWILIO_AUTH_TOKEN ?? undefined,
        fonosterSecret: config.FONOSTER_ACCESS_KEY_SECRET ?? undefined,
        genesysApiKey: config.GENESYS_API_KEY ?? undefined,
        genesysClientSecret: config.GENESYS_CLIENT_SECRET ?? undefined,
      },
    })
    const tracks = sent.map(({ track }) => track).join(' and ')
    const call = await arrival(url, callId)
    await fetch(`${url}/v1/call/complete/${callId}`, { method: 'POST' })
    if (call === undefined || call.total_packets === 0)
      return found.problem(
        protocol.name,
        'A call was played, and nothing of it arrived.',
        `ai-pbx-gateway timeline ${callId}`,
      )
    if (call.missing_count > 0)
      return found.problem(
        protocol.name,
        `A call was played, and ${call.missing_count} packets of it are missing.`,
        `ai-pbx-gateway timeline ${callId}`,
      )
    return found.ok(protocol.name, `${packets / 50} s of speech on ${tracks} arrived whole.`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return found.problem(
      protocol.name,
      `A call could not be played: ${reason}.`,
      protocol.name === 'audiosocket'
        ? 'AUDIOSOCKET_PORT=9092   (one that is free, in the settings of the gateway)'
        : 'run the doctor with the same settings as the gateway, and look into its log',
    )
  }
}

function callIdFor({ name, callIds }: Protocol): string {
  if (callIds === 'uuid') return randomUUID()
  const id = randomBytes(16).toString('hex')
  return callIds === 'twilio' ? `CA${id}` : `doctor-${name}-${id.slice(0, 12)}`
}

/** What of a call is stored, once nothing more comes. */
async function arrival(url: string, callId: string): Promise<StoredCall | undefined> {
  const deadline = performance.now() + patienceMs
  let before: StoredCall | undefined
  while (performance.now() < deadline) {
    const answer = await fetch(`${url}/v1/call/${callId}`)
    const call = answer.ok ? ((await answer.json()) as StoredCall) : undefined
    if (
      call !== undefined &&
      call.total_packets > 0 &&
      before?.total_packets === call.total_packets
    )
      return call
    before = call
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return before
}

/** The first words of a recording. */
async function shortVoices(): Promise<Voices> {
  const [recording] = await loadRecordings()
  if (recording === undefined) throw new Error('there is no recording')
  const { customer, agent } = splitVoices(recording)
  const from = (recording.turns[0]?.start ?? 0) * packetBytes
  const to = from + packets * packetBytes
  return { customer: customer.subarray(from, to), agent: agent.subarray(from, to) }
}
