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
  /** The same with its times, if they are known. */
  readonly utterances?: readonly SaidInCall[]
  readonly sentiment: Sentiment
  readonly summary: string
}

/** Something that was said in a call; seconds since its start. */
export type SaidInCall = {
  readonly speaker: 'customer' | 'agent'
  readonly start: number
  readonly end: number
  readonly text: string
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
 * - `retryable`: another attempt may succeed; it counts towards the burst (a 5xx, a timeout, a reset, garbage).
 * - `outage`: the service takes no requests now; another attempt is made and none is used up (connection refused,
 *   a 429, a 503 that says for how long).
 * - `configuration`: no call can succeed before somebody acts (a wrong key, model or address, no credit); none is
 *   used up.
 * - `permanent`: this call can never succeed with this provider (a 400, unreadable audio).
 */
export type ProviderErrorKind = 'retryable' | 'outage' | 'configuration' | 'permanent'

/** What else is known of a failure. */
export type ProviderErrorOptions = ErrorOptions & {
  /** In how many seconds the service wants to be asked again, if it says so: 0 to 3600. */
  readonly retryAfterSeconds?: number | undefined
}

/** A failed attempt. The message is shown to supervisors and must hold neither audio nor secrets. */
export class ProviderError extends Error {
  readonly kind: ProviderErrorKind
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ProviderErrorKind, message: string, options: ProviderErrorOptions = {}) {
    super(message, options)
    this.name = 'ProviderError'
    this.kind = kind
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}
