// Several calls at once, each with a recording, plans and a start of its own, all drawn from one seed.
import { hashText, seededRandom } from '../random.ts'
import { sidOf, uuidOf } from './addresses.ts'
import { type CallOutcome, type CallProgress, runCall } from './call.ts'
import type { CallWire, SimulatedCall } from './call-wire.ts'
import type { Clock } from './clock.ts'
import type { GatewayClient } from './gateway-client.ts'
import { createHttpWire } from './http-wire.ts'
import { createMediaWire } from './media-wire.ts'
import type { SimulationOptions } from './options.ts'
import { planCall } from './plan.ts'
import type { Protocol } from './protocol.ts'
import { protocols } from './protocols.ts'
import { packetCount, type Recording } from './recordings.ts'

/** What a simulation needs. */
export type SimulationParts = {
  readonly recordings: readonly Recording[]
  readonly client: GatewayClient
  readonly clock: Clock
  /** Makes the call ids of this run its own: a gateway takes no packets of a call it has archived. */
  readonly run: string
  /** Called at every change, with the same objects every time. */
  readonly onProgress: (calls: readonly CallProgress[]) => void
}

const longestStagger = 0.5
const startsSpreadOver = 10

/** The media protocol of a simulation; `undefined`: the HTTP API. */
export function protocolOf({
  protocol,
}: Pick<SimulationOptions, 'protocol'>): Protocol | undefined {
  return protocols.find(({ name }) => name === protocol)
}

/** Plans all calls; the same options and recordings give the same plans. */
export function planCalls(
  { calls, rate, seed, protocol: name, ...network }: SimulationOptions,
  recordings: readonly Recording[],
  run: string,
): SimulatedCall[] {
  const stagger = rate === 0 ? 0 : Math.min(longestStagger, startsSpreadOver / calls) / rate
  const protocol = protocolOf({ protocol: name })
  return Array.from({ length: calls }, (_, index) => index).flatMap((index) => {
    const recording = recordings[index % recordings.length]
    if (recording === undefined) return []
    const random = seededRandom(hashText(`${seed} ${index}`))
    const lines = protocol?.lines ?? [['mixed']]
    const plans = lines.map(() => planCall(packetCount(recording), network, random))
    const id = callIdOf(`sim-${run}-${index + 1}`, protocol?.callIds ?? 'any')
    return [{ id, recording, plans, startAfter: index * stagger }]
  })
}

function callIdOf(name: string, kind: Protocol['callIds']): string {
  return { any: () => name, twilio: () => sidOf('CA', name), uuid: () => uuidOf(name) }[kind]()
}

/** Runs all calls to their ends; rejects only with the signal's reason. */
export async function simulate(
  options: SimulationOptions,
  { recordings, run, onProgress, client, clock }: SimulationParts,
  signal: AbortSignal,
): Promise<readonly CallOutcome[]> {
  const { rate, timeout } = options
  const protocol = protocolOf(options)
  const wireOf = (call: SimulatedCall): CallWire =>
    protocol === undefined
      ? createHttpWire(call, { client, clock, rate })
      : createMediaWire(call, protocol, { client, clock, settings: options })
  const calls = planCalls(options, recordings, run).map((call) => {
    const wire = wireOf(call)
    const progress: CallProgress = {
      id: call.id,
      recording: call.recording.name,
      planned: wire.planned,
      counts: wire.counts,
      phase: 'waiting',
      count: 0,
      state: '',
    }
    return { call, wire, progress }
  })
  const allProgress = calls.map(({ progress }) => progress)
  const onChange = () => onProgress(allProgress)
  return await Promise.all(
    calls.map(({ call, wire, progress }) =>
      runCall(call, progress, { wire, client, clock, timeout, onChange }, signal),
    ),
  )
}
