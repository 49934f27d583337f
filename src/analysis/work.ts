// What there is to do for a call, in steps: transcribe each track, redact what was said before anything is written, judge
// the mood, summarise, measure the talk. A step that is done is not done again, whoever did it.
import { inOrderSpoken, textOf } from './conversation.ts'
import { judgeMood } from './mood-step.ts'
import type { AnalysisResult } from './provider.ts'
import type { Claim } from './statements.ts'
import { readSteps, transcriptsOf } from './steps.ts'
import { summarise } from './summary-step.ts'
import { measureTalk } from './talk-step.ts'
import { transcribe } from './transcript-step.ts'
import type { AudibleTrack, WorkOptions } from './work-options.ts'

/**
 * Does what is left to do for a claimed call. Rejects with a `ProviderError`, a `NotNow`, `workLost`, or the signal's
 * reason; what was done until then is stored.
 */
export async function workOn(
  claim: Claim,
  given: WorkOptions,
  signal: AbortSignal,
): Promise<AnalysisResult> {
  let tracks: Promise<readonly AudibleTrack[]> | undefined
  const readTracks = (call: number) => {
    tracks ??= given.readTracks(call)
    return tracks
  }
  const options = { ...given, readTracks }
  const done = await readSteps(options.pool, claim.id)
  await transcribe(claim, done, options, signal)
  const swapped = await options.isSwapped(claim.id)
  const transcripts = transcriptsOf(done)
  const spoken = inOrderSpoken(transcripts)
  const mood = await judgeMood(claim, done, spoken, swapped, options, signal)
  const summary = await summarise(claim, done, spoken, swapped, options, signal)
  await measureTalk(claim, done, options)
  return {
    // With the roles that the mood was judged with; who reads it knows whether they were exchanged since.
    transcription: textOf(transcripts, mood.swapped),
    sentiment: mood.label,
    summary: summary.text,
  }
}
