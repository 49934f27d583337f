// A short call that the doctor plays as a PBX would. Its id begins with `doctor-`; when all is well with it, it is
// erased, and else it is complete, and stays to be looked at.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { systemClock } from '../simulator/clock.ts'
import type { Protocol } from '../simulator/protocol.ts'
import { loadRecordings, packetBytes, packetSeconds } from '../simulator/recordings.ts'
import { splitVoices, type Voices } from '../simulator/voices.ts'
import { ask, reasonOf } from './ask.ts'

/** A call to be played. */
export type Trial = {
  readonly protocol: Protocol
  /** The base URL to which it is played. */
  readonly to: string
  /** The base URL of the gateway that should then have it. */
  readonly gateway: string
  readonly config: Config
}

/** What became of it; the call is known to the gateway by `callId`. */
export type Outcome = { readonly callId: string } & (
  | {
      readonly result: 'arrived'
      readonly tracks: readonly string[]
      /** Of the track of which the least arrived. */
      readonly seconds: number
    }
  | { readonly result: 'nothing' }
  | { readonly result: 'refused'; readonly reason: string }
)

/** How much speech a call has. */
export const trialSeconds = 2

const packets = trialSeconds / packetSeconds
/** Faster than life. */
const rate = 5
const playMs = 4_000
const arrivalMs = 3_000
const pollMs = 100

type Quality = {
  readonly tracks?: readonly {
    readonly track: string
    readonly duration_ms: number | null
    readonly missing_ms: number | null
  }[]
}

/** Plays a call, and looks at what of it arrived; does not reject. */
export async function playTrial(trial: Trial): Promise<Outcome> {
  const { protocol, to, gateway } = trial
  const callId = `doctor-${protocol.name}-${randomBytes(6).toString('hex')}`
  const outcome = await play(trial, callId)
  const isWell = outcome.result === 'arrived' && outcome.seconds === trialSeconds
  for (const base of new Set([gateway, to])) await end(base, callId, isWell)
  return outcome
}

async function play(trial: Trial, callId: string): Promise<Outcome> {
  const { protocol, to, gateway, config } = trial
  // A protocol with ids of its own says ours beside it, or has nothing to say it with.
  const ownId = protocol.callIds === 'uuid' ? randomUUID() : callId
  try {
    if (protocol.name === 'audiosocket')
      await ask(`${gateway}/v1/media/audiosocket/${ownId}`, 'PUT', {
        call_id: callId,
        track: 'mixed',
      })
    const voices = await firstWords()
    const sent = await within(playMs, (signal) =>
      protocol.play({
        url: to,
        ...(typeof config.AUDIOSOCKET_PORT === 'number'
          ? { audioSocketPort: config.AUDIOSOCKET_PORT }
          : {}),
        callId: ownId,
        parameters: ownId === callId ? {} : { callId },
        voices,
        rate,
        clock: systemClock,
        signal,
        secrets: {
          publicUrl: config.PUBLIC_URL ?? undefined,
          twilioAuthToken: config.TWILIO_AUTH_TOKEN ?? undefined,
          fonosterSecret: config.FONOSTER_ACCESS_KEY_SECRET ?? undefined,
          genesysApiKey: config.GENESYS_API_KEY ?? undefined,
          genesysClientSecret: config.GENESYS_CLIENT_SECRET ?? undefined,
        },
      }),
    )
    const tracks = sent.map(({ track }) => track)
    const seconds = await arrival(gateway, callId, tracks)
    return seconds === 0
      ? { result: 'nothing', callId }
      : { result: 'arrived', callId, tracks, seconds }
  } catch (error) {
    return { result: 'refused', callId, reason: reasonOf(error) }
  }
}

/** How many seconds of each track have arrived at least, once all have, or no more is expected. */
async function arrival(
  gateway: string,
  callId: string,
  tracks: readonly string[],
): Promise<number> {
  const deadline = performance.now() + arrivalMs
  for (;;) {
    const answer = await ask(`${gateway}/v1/call/${callId}/quality`)
    const quality = (typeof answer === 'string' ? {} : (answer.body ?? {})) as Quality
    const arrived = tracks.map((name) => {
      const track = quality.tracks?.find((each) => each.track === name)
      return ((track?.duration_ms ?? 0) - (track?.missing_ms ?? 0)) / 1_000
    })
    const seconds = Math.min(...arrived)
    if (seconds === trialSeconds || performance.now() > deadline) return seconds
    await pause(pollMs)
  }
}

async function end(base: string, callId: string, isToBeErased: boolean): Promise<void> {
  const calls = `${base}/v1/call`
  const erased = isToBeErased
    ? await ask(`${calls}/${callId}?force=true`, 'DELETE')
    : 'it stays to be looked at'
  if (typeof erased === 'string' || erased.status !== 204)
    await ask(`${calls}/complete/${callId}`, 'POST')
}

async function within<T>(
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new Error(`it was not over within ${milliseconds / 1_000} s`)
    controller.abort(error)
    reject(error)
  }, milliseconds)
  try {
    return await Promise.race([run(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

async function firstWords(): Promise<Voices> {
  const [recording] = await loadRecordings()
  if (recording === undefined) throw new Error('there is no recording')
  const { customer, agent } = splitVoices(recording)
  const from = (recording.turns[0]?.start ?? 0) * packetBytes
  const to = from + packets * packetBytes
  return { customer: customer.subarray(from, to), agent: agent.subarray(from, to) }
}
