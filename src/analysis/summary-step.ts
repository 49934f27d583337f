// The summary of a call: by the first provider that summarises, or in the words of the call. A model may quote what it
// should not, so its words are redacted like those of callers.
import { linesOf } from './conversation.ts'
import { builtIn, keepStep } from './keep-step.ts'
import type { Summary } from './service.ts'
import type { Claim } from './statements.ts'
import type { StoredStep, StoredUtterance, SummaryStep } from './steps.ts'
import { within } from './within.ts'
import { isLastTry, type WorkOptions } from './work-options.ts'

/** Summarises, if that is not done yet; adds the step to `done`. */
export async function summarise(
  claim: Claim,
  done: StoredStep[],
  spoken: readonly StoredUtterance[],
  swapped: boolean,
  options: WorkOptions,
  signal: AbortSignal,
): Promise<SummaryStep> {
  const { pool, providers, health, redactText, requestSeconds } = options
  const before = done.find((step) => step.step === 'summary')
  if (before !== undefined) return before.result
  const lines = linesOf(spoken, swapped)
  const request = { idempotencyKey: `${claim.call_id}/summary`, lines }
  const candidates = providers.flatMap(({ name, summariser }) =>
    summariser === undefined
      ? []
      : [
          {
            name,
            ask: () => within(requestSeconds, signal, (end) => summariser.summarise(request, end)),
          },
        ],
  )
  // A model that is told nothing invents something.
  const given =
    candidates.length === 0 || lines.length === 0
      ? { ...builtIn, value: options.summarise(lines) }
      : await health.ask(claim.id, 'summary', candidates, signal, isLastTry(claim, options))
  const result = describeSummary(given.value, redactText)
  await keepStep(pool, claim, done, given, { step: 'summary', track: '', result })
  return result
}

function describeSummary(
  { reason, outcome, nextStep }: Summary,
  redactText: (text: string) => string,
): SummaryStep {
  return {
    text: redactText([reason, outcome, nextStep].filter((part) => part !== '').join(' ')),
    reason: redactText(reason),
    outcome: redactText(outcome),
    next_step: redactText(nextStep),
  }
}
