// What the work on a call needs.
import type { Pool } from '../database/pool.ts'
import type { Health } from './health.ts'
import type { Provider, RecordedPacket, Track } from './provider.ts'
import type {
  Answer,
  Mood,
  MoodJudge,
  SpokenLine,
  Summariser,
  Summary,
  Transcriber,
  Utterance,
} from './service.ts'
import type { Claim } from './statements.ts'
import type { StoredUtterance, TranscriptStep } from './steps.ts'

/** An AI service and what it can do. */
export type AnalysisProvider = {
  readonly name: string
  /** Requests at once, of all gateways together. */
  readonly ceiling: number
  /** Does everything with one request. */
  readonly analyse?: Provider['analyse']
  readonly transcriber?: Transcriber
  readonly moodJudge?: MoodJudge
  readonly summariser?: Summariser
}

/** A track that has audio. */
export type AudibleTrack = {
  readonly track: Track
  /** When its audio ends, in seconds of the call. */
  readonly end: number
  /**
   * Its audio from the start of the call, cut for a service and joined again.
   * @param transcribe is asked for each piece, a WAV file
   */
  readonly transcribe: (
    transcriber: Transcriber,
    idempotencyKey: string,
    signal: AbortSignal,
  ) => Promise<Answer<readonly Utterance[]>>
}

/** What the work needs. */
export type WorkOptions = {
  readonly pool: Pool
  /** In the order in which they are asked. */
  readonly providers: readonly AnalysisProvider[]
  readonly health: Health
  readonly readPackets: (call: number) => AsyncIterable<RecordedPacket>
  /** The tracks whose audio can be decoded. */
  readonly readTracks: (call: number) => Promise<readonly AudibleTrack[]>
  /** Whether a supervisor exchanged the roles. */
  readonly isSwapped: (call: number) => Promise<boolean>
  /** Takes out what must not be written, of what was said after `before`. */
  readonly redact: (
    said: readonly StoredUtterance[],
    before: readonly StoredUtterance[],
  ) => Pick<TranscriptStep, 'utterances' | 'findings'>
  readonly redactText: (text: string) => string
  /** The mood by a lexicon: of each track and over time, and of the call when no provider judges it. */
  readonly judge: (lines: readonly SpokenLine[]) => Mood
  /** When no provider summarises. */
  readonly summarise: (lines: readonly SpokenLine[]) => Summary
  /** The longest that one request may take, in seconds. */
  readonly requestSeconds: number
  /** Failed attempts in a row after which a call is FAILED. */
  readonly maxAttempts: number
}

/** Whether the call is FAILED when this attempt fails: then every provider that could help is asked. */
export function isLastTry(
  { burst_attempts }: Pick<Claim, 'burst_attempts'>,
  { maxAttempts }: Pick<WorkOptions, 'maxAttempts'>,
): boolean {
  return burst_attempts + 1 >= maxAttempts
}
