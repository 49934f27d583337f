// One simulated call: its packets leave as planned, it ends, its analysis is awaited, and the gateway's account
// of it compared with the truth. Whatever goes wrong becomes a difference, not an error.
import type { CallFigures, CallWire, SimulatedCall } from './call-wire.ts'
import type { Clock } from './clock.ts'
import type { GatewayCall, GatewayClient } from './gateway-client.ts'

/** How far a call has come; one object a call, changed as it goes. */
export type CallProgress = {
  readonly id: string
  readonly recording: string
  /** How often a packet is to be sent. */
  readonly planned: number
  /** What is counted: some wires acknowledge nothing. */
  readonly counts: CallWire['counts']
  phase: 'waiting' | 'streaming' | 'analysing' | 'finished'
  /** How often a packet was acknowledged, or sent. */
  count: number
  /** The state as the gateway says it, `''` before the first answer. */
  state: string
}

/** The gateway's account of a call beside the truth. */
export type CallOutcome = CallFigures & {
  readonly id: string
  readonly recording: string
  /** As of its wire. */
  readonly isExact: boolean
  /** How many packets the gateway says are missing. */
  readonly missing: number
  readonly state: string
  readonly transcription: string
  readonly sentiment: string
  /** Empty when every figure agrees and the call is archived. */
  readonly differences: readonly string[]
}

/** What a call needs to run. */
export type CallParts = {
  readonly wire: CallWire
  readonly client: GatewayClient
  readonly clock: Clock
  /** As in `SimulationOptions`. */
  readonly timeout: number
  readonly onChange: () => void
}

const firstPoll = 0.2
const longestPoll = 2

/** Runs one call to its end; rejects only with the signal's reason. */
export async function runCall(
  call: SimulatedCall,
  progress: CallProgress,
  { wire, client, clock, timeout, onChange }: CallParts,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const differences: string[] = []
  let account: GatewayCall | undefined
  let missing = 0

  function enter(phase: CallProgress['phase']): void {
    progress.phase = phase
    onChange()
  }

  function onPacket(): void {
    progress.count += 1
    onChange()
  }

  function takeDown(error: unknown): void {
    signal.throwIfAborted()
    differences.push(error instanceof Error ? error.message : String(error))
  }

  async function awaitAnalysis(): Promise<void> {
    const deadline = clock.now() + timeout
    for (let pause = firstPoll; ; pause = Math.min(longestPoll, pause * 1.5)) {
      account = await client.readCall(call.id)
      progress.state = account?.status ?? ''
      onChange()
      if (account?.status === 'ARCHIVED') return
      if (clock.now() + pause > deadline)
        throw new Error(
          account === undefined
            ? `the gateway does not know it after ${timeout} s`
            : `its state is ${account.status}, not ARCHIVED, after ${timeout} s`,
        )
      await clock.wait(pause, signal)
    }
  }

  async function compare(ended: GatewayCall): Promise<void> {
    const comparison = await wire.compare(ended)
    missing = comparison.missing
    differences.push(...comparison.differences)
  }

  await clock.wait(call.startAfter, signal)
  try {
    enter('streaming')
    await wire.play(onPacket, signal)
    enter('analysing')
    await awaitAnalysis()
  } catch (error) {
    takeDown(error)
    const { sent, acknowledged = sent } = wire.figures()
    const open = sent - acknowledged
    const packets = open === 1 ? '1 packet was' : `${open} packets were`
    if (open > 0) differences.push(`${packets} sent and never acknowledged`)
  }
  if (account !== undefined) await compare(account).catch(takeDown)
  enter('finished')
  return {
    id: call.id,
    recording: call.recording.name,
    ...wire.figures(),
    isExact: wire.isExact,
    missing,
    state: account?.status ?? '',
    transcription: account?.transcription ?? '',
    sentiment: account?.sentiment ?? '',
    differences,
  }
}
