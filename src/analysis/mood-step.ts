// The mood of a call: by the first provider that judges, or by a lexicon.
import { linesOf } from './conversation.ts'
import { builtIn, keepStep } from './keep-step.ts'
import { describeMood } from './mood.ts'
import type { Claim } from './statements.ts'
import type { MoodStep, StoredStep, StoredUtterance } from './steps.ts'
import { within } from './within.ts'
import { isLastTry, type WorkOptions } from './work-options.ts'

/** Judges the mood, if that is not done yet; adds the step to `done`. */
export async function judgeMood(
  claim: Claim,
  done: StoredStep[],
  spoken: readonly StoredUtterance[],
  swapped: boolean,
  options: WorkOptions,
  signal: AbortSignal,
): Promise<MoodStep> {
  const { pool, providers, health, judge, requestSeconds } = options
  const before = done.find((step) => step.step === 'mood')
  if (before !== undefined) return before.result
  const lines = linesOf(spoken, swapped)
  const request = { idempotencyKey: `${claim.call_id}/mood`, lines }
  const candidates = providers.flatMap(({ name, moodJudge }) =>
    moodJudge === undefined
      ? []
      : [
          {
            name,
            ask: () => within(requestSeconds, signal, (end) => moodJudge.judge(request, end)),
          },
        ],
  )
  // A model that is told nothing invents something.
  const given =
    candidates.length === 0 || lines.length === 0
      ? { ...builtIn, value: judge(lines) }
      : await health.ask(claim.id, 'mood', candidates, signal, isLastTry(claim, options))
  const result = describeMood(given.value, spoken, swapped, judge)
  await keepStep(pool, claim, done, given, { step: 'mood', track: '', result })
  return result
}
