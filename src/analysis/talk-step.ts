// The last step: who spoke for how long. No service is asked; it is kept so that the floor need not read transcripts.
import { inOrderSpoken } from './conversation.ts'
import { builtIn, keepStep } from './keep-step.ts'
import type { Claim } from './statements.ts'
import { type StoredStep, transcriptsOf } from './steps.ts'
import { talkOf } from './talk.ts'
import type { WorkOptions } from './work-options.ts'

/** Measures the talk, if that is not done yet and can be told; adds the step to `done`. */
export async function measureTalk(
  claim: Claim,
  done: StoredStep[],
  { pool, readTracks }: Pick<WorkOptions, 'pool' | 'readTracks'>,
): Promise<void> {
  if (done.some(({ step }) => step === 'talk')) return
  const transcripts = transcriptsOf(done)
  // A text alone does not say when its words were spoken.
  if (transcripts.some(({ text }) => text !== null)) return
  const tracks = await readTracks(claim.id)
  const result = talkOf(inOrderSpoken(transcripts), Math.max(0, ...tracks.map(({ end }) => end)))
  if (result.length > 0)
    await keepStep(pool, claim, done, builtIn, { step: 'talk', track: '', result })
}
