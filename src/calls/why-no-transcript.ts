// Why a call has no transcript, in words. Pure: every state has an answer, and a time where there is one.
import type { CallFacts } from './timeline-statements.ts'

/** When a call is over by itself, in seconds. */
export type CompletionSettings = {
  /** So long after its last packet. */
  readonly packetTimeoutSeconds: number
  /** So long after its last media connection was lost. */
  readonly reconnectSeconds: number
}

/** Why the call has no transcript (yet); null: it has one. Times are ISO 8601, UTC. */
export function whyNoTranscript(facts: CallFacts, settings: CompletionSettings): string | null {
  const { transcription, packets } = facts
  if (facts.ai_processed_at !== null) {
    if (packets === 0) return 'Nothing was heard: no packet came.'
    return transcription?.trim() ? null : 'The call was analysed; the AI heard no word in it.'
  }
  const state = waits[facts.status](facts, settings)
  return packets === 0 ? `Nothing was heard: no packet came. ${state}` : state
}

type Waits = (facts: CallFacts, settings: CompletionSettings) => string

const waits: Readonly<Record<CallFacts['status'], Waits>> = {
  IN_PROGRESS: (
    { media_ended_at: ended, last_packet_at: last, now },
    { packetTimeoutSeconds, reconnectSeconds },
  ) => {
    if (ended === null)
      return (
        'The call is in progress; it is analysed when it is over, which is when somebody says so, its media ' +
        `end, or no packet comes for ${packetTimeoutSeconds} s.`
      )
    const seconds = Math.min(reconnectSeconds, packetTimeoutSeconds)
    const over = new Date(Math.max(ended.getTime(), last?.getTime() ?? 0) + seconds * 1_000)
    return (
      `The call is in progress, but its media ended at ${iso(ended)}. Unless they come back, it is over ` +
      `${when(over, now)}, and is analysed then.`
    )
  },
  COMPLETED: ({ completed_at: completed, due_at: due, now }) =>
    isAhead(due, now)
      ? `The call is over since ${iso(completed)}; its last packets may still come until ${iso(due)}, then ` +
        'it is analysed.'
      : `The call is over, and waits for its turn to be analysed since ${iso(due)}.`,
  PROCESSING_AI: (facts) => {
    const { attempts, lease_owner: owner, last_outcome: outcome, due_at: due, now } = facts
    const failure = facts.error_message === null ? '' : sentence(facts.error_message)
    if (owner !== null) {
      const before = failure === '' ? '' : ` An attempt before failed: ${failure}`
      return isAhead(due, now)
        ? `The AI is at work: attempt ${attempts} is under way (by ${owner}).${before}`
        : `Attempt ${attempts} (by ${owner}) gives no sign of life; another gateway takes over.${before}`
    }
    const next = `Attempt ${attempts + 1} is made ${when(due, now)}.`
    if (outcome === 'released')
      return `Attempt ${attempts} was given back, since its gateway was stopped. ${next}`
    const failed =
      outcome === 'outage' ? 'The AI service is out of order' : `Attempt ${attempts} failed`
    return `It waits for the AI. ${failed}: ${failure || 'no reason was given.'} ${next}`
  },
  FAILED: ({ attempts, error_message: error, due_at: due, now }) => {
    const failed =
      attempts === 0
        ? 'The call failed before it was analysed.'
        : `The analysis failed after ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}: ${sentence(error)}`
    return due === null
      ? `${failed} It is not tried again.`
      : `${failed} It is tried anew by itself ${when(due, now)}.`
  },
  ARCHIVED: ({ error_message: error }) =>
    error === null
      ? 'The call was archived without an analysis.'
      : `The call was archived without a result. The last attempt failed: ${sentence(error)}`,
}

function isAhead(time: Date | null, now: Date): boolean {
  return time !== null && time > now
}

function when(time: Date | null, now: Date): string {
  return time !== null && time > now ? `at ${iso(time)}` : 'any moment'
}

function iso(time: Date | null): string {
  return time?.toISOString() ?? 'an unknown time'
}

function sentence(error: string | null): string {
  const text = error?.trim() || 'no reason was given'
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
