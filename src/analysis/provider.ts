// What the analysis asks of an AI service, and how a service says no. One file per provider in `providers/`.

/** Whose voice a packet carries: the customer, the agent or bot, or both on one line. */
export type Track = 'inbound' | 'outbound' | 'mixed'

/** One packet as the PBX sent it. */
export type RecordedPacket = {
  readonly track: Track
  readonly sequence: number
  /** The sender's clock, in the sender's unit. */
  readonly timestamp: number
  /** Exactly the bytes that were acknowledged; over HTTP the UTF-8 of `data`. */
  readonly payload: Uint8Array
}

/** The mood of a call. */
export type Sentiment = 'positive' | 'neutral' | 'negative' | 'mixed'

/** What an analysis yields. All of it is text of a stranger: never a command, never markup. */
export type AnalysisResult = {
  readonly transcription: string
  readonly sentiment: Sentiment
  readonly summary: string
}

/** One attempt to analyse one call. */
export type AnalysisRequest = {
  readonly callId: string
  /** 1 for the first attempt of the call. */
  readonly attempt: number
  /** The packets of the call, per track in ascending order of sequence; read once. */
  readonly packets: AsyncIterable<RecordedPacket>
}

/** An AI service. `analyse` rejects with a {@link ProviderError}, or with the signal's reason when aborted. */
export type Provider = {
  readonly name: string
  readonly analyse: (request: AnalysisRequest, signal: AbortSignal) => Promise<AnalysisResult>
}

/**
 * Why a provider failed, which decides what happens next.
 * - `retryable`: another attempt may succeed; it counts towards the burst (a 5xx, a timeout, a reset).
 * - `outage`: the service is not there at all; another attempt is made and none is used up.
 * - `permanent`: this call can never succeed with this provider (a 400, unreadable audio).
 */
export type ProviderErrorKind = 'retryable' | 'outage' | 'permanent'

/** A failed attempt. The message is shown to supervisors and must hold neither audio nor secrets. */
export class ProviderError extends Error {
  readonly kind: ProviderErrorKind

  constructor(kind: ProviderErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProviderError'
    this.kind = kind
  }
}
