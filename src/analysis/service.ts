// What the analysis asks of AI services, in its steps: transcribe each track, then the mood and the summary of what
// was said. One file per service in `providers/`. Whatever a service answers is text of a stranger: never a command,
// never markup.
import type { Sentiment } from './provider.ts'

/** Something that was said on one track. */
export type Utterance = {
  /** Seconds from the start of the audio that was sent. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** 0 to 1; null when the service does not say. */
  readonly confidence: number | null
}

/** What an answer cost, as the service says; if it does not, what was sent. */
export type Use = {
  readonly audioSeconds?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
}

/** An answer of a service. */
export type Answer<T> = {
  readonly value: T
  readonly use: Use
  /** The model that answered, if the service says so. */
  readonly model: string | null
}

/** What is common to all requests. */
export type ServiceRequest = {
  /** The same for every repetition of the same step of the same call. */
  readonly idempotencyKey: string
}

/** Audio to be transcribed: one speaker. */
export type TranscriptionRequest = ServiceRequest & {
  /** A WAV file: 16-bit PCM, mono. */
  readonly audio: Uint8Array<ArrayBuffer>
  readonly seconds: number
}

/** A service that turns audio into text. */
export type Transcriber = {
  readonly name: string
  /** The most that one request may hold. */
  readonly longestUpload: { readonly bytes: number; readonly seconds: number }
  /** Rejects with a `ProviderError`, or with the signal's reason. */
  readonly transcribe: (
    request: TranscriptionRequest,
    signal: AbortSignal,
  ) => Promise<Answer<readonly Utterance[]>>
}

/** A line of a conversation, redacted. */
export type SpokenLine = {
  readonly speaker: 'customer' | 'agent' | 'unknown'
  readonly start: number
  readonly text: string
}

/** A conversation to be judged. */
export type ConversationRequest = ServiceRequest & { readonly lines: readonly SpokenLine[] }

/** The mood of a text. */
export type Mood = {
  readonly label: Sentiment
  /** -1 (bad) to 1 (good). */
  readonly score: number
}

/** What a call was about. */
export type Summary = {
  readonly reason: string
  readonly outcome: string
  /** Empty when there is none. */
  readonly nextStep: string
}

/** A service that judges the mood of what was said. */
export type MoodJudge = {
  readonly name: string
  readonly judge: (request: ConversationRequest, signal: AbortSignal) => Promise<Answer<Mood>>
}

/** A service that summarises what was said. */
export type Summariser = {
  readonly name: string
  readonly summarise: (
    request: ConversationRequest,
    signal: AbortSignal,
  ) => Promise<Answer<Summary>>
}
