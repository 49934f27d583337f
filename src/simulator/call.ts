// One simulated call: its packets leave as planned, it is completed, its analysis awaited, and the
// gateway's account of it compared with the truth. Whatever goes wrong becomes a difference, not an error.
import { countMissing, differencesOf, parseMissing } from './account.ts'
import type { Clock } from './clock.ts'
import type { GatewayCall, GatewayClient } from './gateway-client.ts'
import type { CallPlan } from './plan.ts'
import { packetData, packetSeconds, type Recording } from './recordings.ts'

/** A call to be made. */
export type SimulatedCall = {
  readonly id: string
  readonly recording: Recording
  readonly plan: CallPlan
  /** Seconds after the start of the simulation. */
  readonly startAfter: number
}

/** How far a call has come; one object a call, changed as it goes. */
export type CallProgress = {
  readonly id: string
  readonly recording: string
  /** How often a packet is to be sent. */
  readonly planned: number
  phase: 'waiting' | 'streaming' | 'analysing' | 'finished'
  /** How often a packet was acknowledged. */
  acknowledged: number
  /** The state as the gateway says it, `''` before the first answer. */
  state: string
}

/** The gateway's account of a call beside the truth. Packets are counted once, however often sent. */
export type CallOutcome = {
  readonly id: string
  readonly recording: string
  readonly sent: number
  readonly acknowledged: number
  readonly duplicated: number
  /** Never sent. Those after the last packet sent are in here, and nobody can miss them. */
  readonly dropped: number
  /** How many packets the gateway says are missing. */
  readonly missing: number
  readonly totalPackets: number
  readonly state: string
  readonly transcription: string
  readonly sentiment: string
  /** Empty when every figure agrees and the call is archived. */
  readonly differences: readonly string[]
}

/** What a call needs to run. */
export type CallParts = {
  readonly client: GatewayClient
  readonly clock: Clock
  /** As in `SimulationOptions`. */
  readonly rate: number
  readonly timeout: number
  readonly onChange: () => void
}

const mostInFlight = 32
const firstPoll = 0.2
const longestPoll = 2
const noAnswer: GatewayCall = {
  status: '',
  total_packets: 0,
  missing_packets: '',
  transcription: null,
  sentiment: null,
}

/** Runs one call to its end; rejects only with the signal's reason. */
export async function runCall(
  call: SimulatedCall,
  progress: CallProgress,
  parts: CallParts,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const { id, recording, plan } = call
  const sent = new Set<number>()
  const acknowledged = new Set<number>()
  const differences: string[] = []
  let answer = noAnswer

  function enter(phase: CallProgress['phase']): void {
    progress.phase = phase
    parts.onChange()
  }

  async function send(sequence: number, timestamp: number): Promise<void> {
    sent.add(sequence)
    const data = packetData(recording, sequence - 1)
    await parts.client.sendPacket(id, { sequence, data, timestamp })
    acknowledged.add(sequence)
    progress.acknowledged += 1
    parts.onChange()
  }

  async function stream(): Promise<void> {
    const { clock, rate } = parts
    const start = clock.now()
    const inFlight = new Set<Promise<void>>()
    const failures: unknown[] = []
    for (const { sequence, at } of plan.packets) {
      if (rate > 0) await clock.wait(start + at / rate - clock.now(), signal)
      if (inFlight.size === mostInFlight) await Promise.race(inFlight)
      if (failures.length > 0) break
      const sending = send(sequence, start + (sequence - 1) * packetSeconds)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => inFlight.delete(sending))
      inFlight.add(sending)
    }
    await Promise.all(inFlight)
    if (failures.length > 0) throw failures[0]
  }

  async function awaitAnalysis(): Promise<void> {
    const { client, clock, timeout } = parts
    const deadline = clock.now() + timeout
    for (let pause = firstPoll; ; pause = Math.min(longestPoll, pause * 1.5)) {
      answer = await client.readCall(id)
      progress.state = answer.status
      parts.onChange()
      if (answer.status === 'ARCHIVED') return
      if (clock.now() + pause > deadline)
        throw new Error(`its state is ${answer.status}, not ARCHIVED, after ${timeout} s`)
      await clock.wait(pause, signal)
    }
  }

  await parts.clock.wait(call.startAfter, signal)
  try {
    enter('streaming')
    await stream()
    await parts.client.completeCall(id)
    enter('analysing')
    await awaitAnalysis()
  } catch (error) {
    signal.throwIfAborted()
    differences.push(error instanceof Error ? error.message : String(error))
    const open = sent.size - acknowledged.size
    const packets = open === 1 ? '1 packet was' : `${open} packets were`
    if (open > 0) differences.push(`${packets} sent and never acknowledged`)
  }
  if (answer !== noAnswer) differences.push(...differencesOf(plan, answer))
  enter('finished')
  return {
    id,
    recording: recording.name,
    sent: sent.size,
    acknowledged: acknowledged.size,
    duplicated: plan.duplicated.length,
    dropped: plan.dropped.length,
    missing: countMissing(parseMissing(answer.missing_packets) ?? []),
    totalPackets: answer.total_packets,
    state: answer.status,
    transcription: answer.transcription ?? '',
    sentiment: answer.sentiment ?? '',
    differences,
  }
}
