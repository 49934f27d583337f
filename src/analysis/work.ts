// What there is to do for a call, in steps: transcribe each track, redact what was said before anything is written, judge
// the mood, summarise. A step that is done is not done again, whoever did it.
import type { Pool } from '../database/pool.ts'
import { inOrderSpoken, linesOf, textOf } from './conversation.ts'
import type { Candidate, Given, Health } from './health.ts'
import type { AnalysisResult, Provider, RecordedPacket, Track } from './provider.ts'
import { ProviderError } from './provider.ts'
import type { MoodJudge, SpokenLine, Summariser, Transcriber, Use, Utterance } from './service.ts'
import type { Claim } from './statements.ts'
import {
  type MoodStep,
  readSteps,
  type StoredStep,
  type StoredUtterance,
  type SummaryStep,
  storeStep,
  type TranscriptStep,
} from './steps.ts'

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
  /**
   * Its audio from the start of the call, cut for a service and joined again.
   * @param transcribe is asked for each piece, a WAV file
   */
  readonly transcribe: (
    transcriber: Transcriber,
    idempotencyKey: string,
    signal: AbortSignal,
  ) => Promise<{
    readonly utterances: readonly Utterance[]
    readonly use: Use
    readonly model: string | null
  }>
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
  /** When no provider judges or summarises. */
  readonly judge: (lines: readonly SpokenLine[]) => MoodStep
  readonly summarise: (lines: readonly SpokenLine[]) => SummaryStep
  /** The longest that one request may take, in seconds. */
  readonly requestSeconds: number
}

/** The lease was lost while the work was done. */
export const workLost = new Error('the lease was lost')

/** Agents first: their questions tell what the digits of the answers are. */
const trackOrder: readonly Track[] = ['outbound', 'inbound', 'mixed']

/**
 * Does what is left to do for a claimed call. Rejects with a `ProviderError`, a `NotNow`, {@link workLost}, or the
 * signal's reason; what was done until then is stored.
 */
export async function workOn(
  claim: Claim,
  options: WorkOptions,
  signal: AbortSignal,
): Promise<AnalysisResult> {
  const done = await readSteps(options.pool, claim.id)
  await transcribeAll(claim, done, options, signal)
  const transcripts = done.flatMap((step) => (step.step === 'transcript' ? [step.result] : []))
  const swapped = await options.isSwapped(claim.id)
  const lines = linesOf(inOrderSpoken(transcripts), swapped)
  const mood = await moodOf(claim, done, lines, options, signal)
  const summary = await summaryOf(claim, done, lines, options, signal)
  return {
    transcription: textOf(transcripts, swapped),
    sentiment: mood.label,
    summary: summary.text,
  }
}

type TranscriptGiven =
  | { readonly kind: 'all'; readonly result: AnalysisResult }
  | {
      readonly kind: 'track'
      readonly utterances: readonly Utterance[]
      readonly model: string | null
    }

async function transcribeAll(
  claim: Claim,
  done: StoredStep[],
  options: WorkOptions,
  signal: AbortSignal,
): Promise<void> {
  const { providers, health } = options
  const isDone = (track: string) =>
    done.some((step) => step.step === 'transcript' && step.track === track)
  if (isDone('')) return
  const tracks = await options.readTracks(claim.id)
  const wanted = trackOrder.flatMap((name) => tracks.filter(({ track }) => track === name))
  const none = wanted.length === 0 ? [undefined] : wanted
  for (const track of none) {
    if (track !== undefined && isDone(track.track)) continue
    const isFirst = !done.some(({ step }) => step === 'transcript')
    const candidates = providers.flatMap((provider): Candidate<TranscriptGiven>[] => {
      const { name, analyse, transcriber } = provider
      if (analyse !== undefined && isFirst)
        return [{ name, ask: () => askAll(claim, analyse, options, signal) }]
      if (transcriber === undefined || track === undefined) return []
      return [{ name, ask: () => askTrack(claim, track, transcriber, signal) }]
    })
    if (candidates.length === 0)
      throw new ProviderError(
        'permanent',
        'No packet of the call holds audio that a provider could transcribe',
      )
    const given = await health.ask(claim.id, 'transcript', candidates, signal)
    if (given.value.kind === 'all') {
      await keepAll(claim, done, given, given.value.result, options)
      return
    }
    await keepTrack(claim, done, given, given.value, track?.track ?? 'mixed', options)
  }
}

async function askAll(
  claim: Claim,
  analyse: Provider['analyse'],
  { readPackets, requestSeconds }: WorkOptions,
  signal: AbortSignal,
): Promise<{ value: TranscriptGiven; use: Use }> {
  const request = { callId: claim.call_id, attempt: claim.attempt, packets: readPackets(claim.id) }
  const result = await within(requestSeconds, signal, (end) => analyse(request, end))
  return { value: { kind: 'all', result }, use: {} }
}

async function askTrack(
  claim: Claim,
  track: AudibleTrack,
  transcriber: Transcriber,
  signal: AbortSignal,
): Promise<{ value: TranscriptGiven; use: Use }> {
  const key = `${claim.call_id}/transcript/${track.track}`
  // Each piece has a limit of its own; a long call has many.
  const { utterances, use, model } = await track.transcribe(transcriber, key, signal)
  return { value: { kind: 'track', utterances, model }, use }
}

async function keepAll(
  claim: Claim,
  done: StoredStep[],
  given: Given<unknown>,
  { transcription, utterances, sentiment, summary }: AnalysisResult,
  options: WorkOptions,
): Promise<void> {
  const said = (utterances ?? []).map(
    (utterance): StoredUtterance => ({ ...utterance, track: null, confidence: null }),
  )
  const transcript: TranscriptStep =
    said.length > 0
      ? { ...options.redact(said, []), text: null }
      : { utterances: [], findings: [], text: options.redactText(transcription) }
  await keep(claim, done, given, { step: 'transcript', track: '', result: transcript }, options)
  const mood: MoodStep = { label: sentiment, score: null }
  await keep(claim, done, given, { step: 'mood', track: '', result: mood }, options)
  const told: SummaryStep = {
    text: options.redactText(summary),
    reason: null,
    outcome: null,
    next_step: null,
  }
  await keep(claim, done, given, { step: 'summary', track: '', result: told }, options)
}

async function keepTrack(
  claim: Claim,
  done: StoredStep[],
  given: Given<unknown>,
  { utterances, model }: { utterances: readonly Utterance[]; model: string | null },
  track: Track,
  options: WorkOptions,
): Promise<void> {
  const before = inOrderSpoken(
    done.flatMap((step) => (step.step === 'transcript' ? [step.result] : [])),
  )
  const said = utterances.map(
    (utterance): StoredUtterance => ({ ...utterance, track, speaker: null }),
  )
  const result: TranscriptStep = { ...options.redact(said, before), text: null }
  await keep(claim, done, { ...given, model }, { step: 'transcript', track, result }, options)
}

async function moodOf(
  claim: Claim,
  done: StoredStep[],
  lines: readonly SpokenLine[],
  options: WorkOptions,
  signal: AbortSignal,
): Promise<MoodStep> {
  const before = done.find((step) => step.step === 'mood')
  if (before !== undefined) return before.result
  const judges = options.providers.flatMap(({ name, moodJudge }) =>
    moodJudge === undefined ? [] : [{ name, moodJudge }],
  )
  if (judges.length === 0) {
    const mood = options.judge(lines)
    await keep(claim, done, here, { step: 'mood', track: '', result: mood }, options)
    return mood
  }
  const request = { idempotencyKey: `${claim.call_id}/mood`, lines }
  const given = await options.health.ask(
    claim.id,
    'mood',
    judges.map(({ name, moodJudge }) => ({
      name,
      ask: () => within(options.requestSeconds, signal, (end) => moodJudge.judge(request, end)),
    })),
    signal,
  )
  await keep(claim, done, given, { step: 'mood', track: '', result: given.value }, options)
  return given.value
}

async function summaryOf(
  claim: Claim,
  done: StoredStep[],
  lines: readonly SpokenLine[],
  options: WorkOptions,
  signal: AbortSignal,
): Promise<SummaryStep> {
  const before = done.find((step) => step.step === 'summary')
  if (before !== undefined) return before.result
  const summarisers = options.providers.flatMap(({ name, summariser }) =>
    summariser === undefined ? [] : [{ name, summariser }],
  )
  if (summarisers.length === 0) {
    const summary = options.summarise(lines)
    await keep(claim, done, here, { step: 'summary', track: '', result: summary }, options)
    return summary
  }
  const request = { idempotencyKey: `${claim.call_id}/summary`, lines }
  const given = await options.health.ask(
    claim.id,
    'summary',
    summarisers.map(({ name, summariser }) => ({
      name,
      ask: () =>
        within(options.requestSeconds, signal, (end) => summariser.summarise(request, end)),
    })),
    signal,
  )
  const { reason, outcome, nextStep } = given.value
  const result: SummaryStep = {
    text: options.redactText([reason, outcome, nextStep].filter((part) => part !== '').join(' ')),
    reason: options.redactText(reason),
    outcome: options.redactText(outcome),
    next_step: options.redactText(nextStep),
  }
  await keep(claim, done, given, { step: 'summary', track: '', result }, options)
  return result
}

/** What this process finds out by itself. */
const here = { provider: 'built-in', use: {}, latencyMs: 0 }

type Step =
  | { readonly step: 'transcript'; readonly track: string; readonly result: TranscriptStep }
  | { readonly step: 'mood'; readonly track: ''; readonly result: MoodStep }
  | { readonly step: 'summary'; readonly track: ''; readonly result: SummaryStep }

async function keep(
  claim: Claim,
  done: StoredStep[],
  {
    provider,
    use,
    latencyMs,
    model = null,
  }: Omit<Given<unknown>, 'value'> & { model?: string | null },
  step: Step,
  { pool }: WorkOptions,
): Promise<void> {
  // PostgreSQL's text cannot hold U+0000, and an AI may say anything.
  const result = JSON.stringify(step.result).replaceAll('\\u0000', '\uFFFD')
  const [answer] = await storeStep(
    pool,
    claim.id,
    claim.lease_token,
    step.step,
    step.track,
    provider,
    model,
    result,
    JSON.stringify(use),
    latencyMs,
  )
  if (answer?.stored !== true) throw workLost
  done.push({ ...step, provider })
}

/** A request that may take so long, even if the service does not listen to its signal. */
async function within<T>(
  seconds: number,
  signal: AbortSignal,
  run: (end: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(seconds * 1_000)
  const end = AbortSignal.any([signal, timeout])
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(end.reason)
  if (end.aborted) onAbort()
  end.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(end), aborted])
  } catch (error) {
    if (!signal.aborted && timeout.aborted)
      throw new ProviderError('retryable', `No answer within ${seconds} s`)
    throw error
  } finally {
    end.removeEventListener('abort', onAbort)
  }
}
