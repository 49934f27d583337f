// What a PBX of some make is to the simulator: a client that plays a call to the gateway in its own wire
// protocol, packet by packet as planned, and tells what it truly sent.
import type { Clock } from './clock.ts'
import type { CallPlan } from './plan.ts'
import type { Voices } from './voices.ts'

/** Whose voice: the customer's, the agent's or bot's, or both on one line. */
export type TrackName = 'inbound' | 'outbound' | 'mixed'

/** A message of a wire: text, or bytes. */
export type Message = string | Uint8Array

/** What the PBX and the gateway share; what is absent signs nothing. */
export type Secrets = {
  /** Where the PBX finds the gateway, if not at the URL it connects to: what signatures are made over. */
  readonly publicUrl?: string | undefined
  readonly twilioAuthToken?: string | undefined
  readonly fonosterSecret?: string | undefined
  readonly genesysApiKey?: string | undefined
  /** Base64. */
  readonly genesysClientSecret?: string | undefined
}

/** A call to be played; times are seconds of the call's own time. */
export type ProtocolCall = {
  /** The base URL of the gateway, http or https. */
  readonly url: string
  /** The gateway's port for AudioSocket; its host is that of `url`. Default 9092. */
  readonly audioSocketPort?: number
  /** As the protocol has them: a UUID for AudioSocket and Genesys, any call id for the others. */
  readonly callId: string
  readonly voices: Voices
  /** A plan for every entry of {@link Protocol.lines}; where there is none, nothing is lost. */
  readonly plans?: readonly CallPlan[]
  /** 1 is real time, 10 ten times as fast, 0 as fast as the gateway reads. */
  readonly rate: number
  readonly clock: Clock
  /** Cuts the connections and rejects with its reason. */
  readonly signal: AbortSignal
  readonly secrets?: Secrets
  /** Keys the customer presses, in order of time; wires without them leave them out. */
  readonly dtmf?: readonly { readonly at: number; readonly digit: string }[]
  /** What the PBX is configured to say beside the audio, where the protocol has a place for it. */
  readonly parameters?: Readonly<Record<string, string>>
  /** The protocol's own id of the stream, where it has one; default: drawn. */
  readonly streamId?: string
  /** The number of the first packet, for a stream that goes on after a cut; default 1. */
  readonly firstNumber?: number
  /** The connections are cut at this moment, without a goodbye. */
  readonly cutAt?: number
  /** Messages beside those of the protocol, right or wrong, sent as they are. */
  readonly extra?: readonly { readonly at: number; readonly message: Message }[]
  /** Called for every packet that has left. */
  readonly onPacket?: (packet: SentPacket) => void
  /** Called for every message of the gateway. */
  readonly onMessage?: (message: Message) => void
}

/** One packet on one track. */
export type SentPacket = {
  readonly track: TrackName
  /** From 1: its place in the audio. */
  readonly sequence: number
}

/** What has truly left on a track. */
export type SentTrack = {
  readonly track: TrackName
  /** In the order of sending; a packet sent twice stands here twice. */
  readonly sequences: readonly number[]
}

/** A wire protocol. */
export type Protocol = {
  readonly name: string
  /** The lines on which packets are lost one by one, and the tracks that each of them carries. */
  readonly lines: readonly (readonly TrackName[])[]
  /**
   * How a receiver can know of lost packets: by their numbers, by a position in the audio that the PBX
   * tells, or only by a clock. Without numbers, packets are neither reordered nor duplicated.
   */
  readonly lossAccount: 'numbers' | 'reported' | 'clock'
  /** What its call ids look like. */
  readonly callIds: 'uuid' | 'twilio' | 'any'
  /**
   * Plays a call from the connection to the goodbye.
   * @returns what has truly left, per track
   * @throws Error when the gateway refuses the connection, ends it early, or breaks the protocol
   */
  readonly play: (call: ProtocolCall) => Promise<readonly SentTrack[]>
}
