// Several calls at once, each with a recording, a plan and a start of its own, all drawn from one seed.
import { hashText, seededRandom } from '../random.ts'
import { type CallOutcome, type CallProgress, runCall, type SimulatedCall } from './call.ts'
import type { Clock } from './clock.ts'
import type { GatewayClient } from './gateway-client.ts'
import type { SimulationOptions } from './options.ts'
import { planCall } from './plan.ts'
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

/** Plans all calls; the same options and recordings give the same plans. */
export function planCalls(
  { calls, rate, seed, ...network }: SimulationOptions,
  recordings: readonly Recording[],
  run: string,
): SimulatedCall[] {
  const stagger = rate === 0 ? 0 : Math.min(longestStagger, startsSpreadOver / calls) / rate
  return Array.from({ length: calls }, (_, index) => index).flatMap((index) => {
    const recording = recordings[index % recordings.length]
    if (recording === undefined) return []
    const random = seededRandom(hashText(`${seed} ${index}`))
    const plan = planCall(packetCount(recording), network, random)
    return [{ id: `sim-${run}-${index + 1}`, recording, plan, startAfter: index * stagger }]
  })
}

/** Runs all calls to their ends; rejects only with the signal's reason. */
export async function simulate(
  options: SimulationOptions,
  { recordings, run, onProgress, ...parts }: SimulationParts,
  signal: AbortSignal,
): Promise<readonly CallOutcome[]> {
  const { rate, timeout } = options
  const calls = planCalls(options, recordings, run).map((call) => ({
    call,
    progress: {
      id: call.id,
      recording: call.recording.name,
      planned: call.plan.packets.length,
      phase: 'waiting',
      acknowledged: 0,
      state: '',
    } satisfies CallProgress as CallProgress,
  }))
  const allProgress = calls.map(({ progress }) => progress)
  const onChange = () => onProgress(allProgress)
  return await Promise.all(
    calls.map(({ call, progress }) =>
      runCall(call, progress, { ...parts, rate, timeout, onChange }, signal),
    ),
  )
}
