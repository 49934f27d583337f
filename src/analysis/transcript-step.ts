// The first step: what was said on each track, redacted before it is stored. A provider that does everything with one
// request does the others along with it.
import { inOrderSpoken } from './conversation.ts'
import type { Candidate, Given } from './health.ts'
import { keepStep } from './keep-step.ts'
import { describeMood } from './mood.ts'
import { type AnalysisResult, type Provider, ProviderError, type Track } from './provider.ts'
import { NotNow } from './refusals.ts'
import type { Answer, Transcriber, Utterance } from './service.ts'
import type { Claim } from './statements.ts'
import {
  type StoredStep,
  type StoredUtterance,
  type SummaryStep,
  type TranscriptStep,
  transcriptsOf,
} from './steps.ts'
import { within } from './within.ts'
import { type AudibleTrack, isLastTry, type WorkOptions } from './work-options.ts'

type Heard =
  | { readonly kind: 'all'; readonly result: AnalysisResult }
  | { readonly kind: 'track'; readonly utterances: readonly Utterance[] }

/** Agents first: their questions tell what the digits of the answers are. */
const trackOrder: readonly Track[] = ['outbound', 'inbound', 'mixed']

/** Transcribes what is not transcribed yet; adds the steps to `done`. */
export async function transcribe(
  claim: Claim,
  done: StoredStep[],
  options: WorkOptions,
  signal: AbortSignal,
): Promise<void> {
  const isDone = (track: string) =>
    done.some((step) => step.step === 'transcript' && step.track === track)
  // A provider heard all tracks at once.
  if (isDone('')) return
  const tracks = await options.readTracks(claim.id)
  const audible = trackOrder.flatMap((name) => tracks.filter(({ track }) => track === name))
  for (const track of audible.length === 0 ? [undefined] : audible) {
    if (track !== undefined && isDone(track.track)) continue
    const isFirst = transcriptsOf(done).length === 0
    const candidates = options.providers.flatMap((provider): Candidate<Heard>[] => {
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
    const given = await options.health
      .ask(claim.id, 'transcript', candidates, signal, isLastTry(claim, options))
      .catch(waitWithTheOthers)
    if (given.value.kind === 'all')
      return await keepAll(claim, done, given, given.value.result, options)
    await keepTrack(claim, done, given, given.value.utterances, track?.track ?? 'mixed', options)
  }
}

/**
 * No call is claimed while nobody transcribes; so this one need not wait by itself for longer than that. One that a
 * provider has refused would be refused again.
 */
function waitWithTheOthers(error: unknown): never {
  if (error instanceof NotNow && !error.isRefused)
    throw new NotNow(Math.min(error.waitSeconds, 1), error.message, false)
  throw error
}

async function askAll(
  claim: Claim,
  analyse: Provider['analyse'],
  { readPackets, requestSeconds }: WorkOptions,
  signal: AbortSignal,
): Promise<Answer<Heard>> {
  const request = { callId: claim.call_id, attempt: claim.attempt, packets: readPackets(claim.id) }
  const result = await within(requestSeconds, signal, (end) => analyse(request, end))
  return { value: { kind: 'all', result }, use: {}, model: null }
}

async function askTrack(
  claim: Claim,
  track: AudibleTrack,
  transcriber: Transcriber,
  signal: AbortSignal,
): Promise<Answer<Heard>> {
  const key = `${claim.call_id}/transcript/${track.track}`
  // Each piece has a limit of its own; a long call has many.
  const { value, ...rest } = await track.transcribe(transcriber, key, signal)
  return { ...rest, value: { kind: 'track', utterances: value } }
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
  const told: SummaryStep = {
    text: options.redactText(summary),
    reason: null,
    outcome: null,
    next_step: null,
  }
  const { pool } = options
  const mood = describeMood(
    { label: sentiment, score: null },
    transcript.utterances,
    false,
    options.judge,
  )
  await keepStep(pool, claim, done, given, { step: 'mood', track: '', result: mood })
  await keepStep(pool, claim, done, given, { step: 'summary', track: '', result: told })
  // The last: whoever finds it finds the others, too.
  await keepStep(pool, claim, done, given, { step: 'transcript', track: '', result: transcript })
}

async function keepTrack(
  claim: Claim,
  done: StoredStep[],
  given: Given<unknown>,
  utterances: readonly Utterance[],
  track: Track,
  options: WorkOptions,
): Promise<void> {
  const said = utterances.map(
    (utterance): StoredUtterance => ({ ...utterance, track, speaker: null }),
  )
  const before = inOrderSpoken(transcriptsOf(done))
  const result: TranscriptStep = { ...options.redact(said, before), text: null }
  await keepStep(options.pool, claim, done, given, { step: 'transcript', track, result })
}
