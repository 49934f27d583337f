// How the packets of a simulated call reach the gateway, whatever the wire, and what the gateway should say of
// them afterwards.
import type { GatewayCall } from './gateway-client.ts'
import type { CallPlan } from './plan.ts'
import type { Recording } from './recordings.ts'

/** A call to be made. */
export type SimulatedCall = {
  readonly id: string
  readonly recording: Recording
  /** One for each line of the wire; at least one. */
  readonly plans: readonly CallPlan[]
  /** Seconds after the start of the simulation. */
  readonly startAfter: number
}

/** What became of the packets, each counted once, however often sent. */
export type CallFigures = {
  readonly sent: number
  /** `undefined` where the wire acknowledges nothing. */
  readonly acknowledged: number | undefined
  readonly duplicated: number
  /** Never sent. Some of them nobody can miss, such as those after the last packet sent. */
  readonly dropped: number
}

/** The gateway's account beside the truth. */
export type CallComparison = {
  /** How many packets the gateway says are missing. */
  readonly missing: number
  /** Empty when everything agrees. */
  readonly differences: readonly string[]
}

/** The wire of one call. */
export type CallWire = {
  /** How often a packet is to be sent. */
  readonly planned: number
  /** What `onPacket` counts. */
  readonly counts: 'acknowledged' | 'sent'
  /** False where a receiver can know the length of a gap only to within a packet. */
  readonly isExact: boolean
  /**
   * Plays the call to its end.
   * @throws Error when the gateway refuses something
   */
  readonly play: (onPacket: () => void, signal: AbortSignal) => Promise<void>
  readonly figures: () => CallFigures
  /** Holds the gateway's account of the call, ended, against the truth. */
  readonly compare: (account: GatewayCall) => Promise<CallComparison>
}
