// The state of a call as a person sees it: a word and a shape, beside which a colour may stand. Pure.
import type { FloorCall } from './types.ts'

/** The states, in the order in which a call passes through them. */
export const callStates = ['live', 'waiting', 'analysing', 'failing', 'failed', 'done'] as const
/** One of {@link callStates}. */
export type CallState = (typeof callStates)[number]

/** What each state means, for those who ask. */
export const meanings: Readonly<Record<CallState, string>> = {
  live: 'In progress: audio is coming in',
  waiting: 'Over, and waiting for its analysis',
  analysing: 'The AI is at work on it, or about to be asked again',
  failing: 'The analysis failed and is tried anew by itself',
  failed: 'The analysis failed and is not tried again: somebody has to look',
  done: 'Analysed and archived',
}

/** The state of a call. @param now the clock of the gateway, in milliseconds since 1970 */
export function stateOf(
  { status, next_attempt_at: next, mood, error }: FloorCall,
  now: number,
): CallState {
  switch (status) {
    case 'IN_PROGRESS':
      return 'live'
    case 'COMPLETED':
      return mood === null ? 'waiting' : 'done'
    case 'PROCESSING_AI':
      return error === null && next !== null && Date.parse(next) > now ? 'waiting' : 'analysing'
    case 'FAILED':
      return next === null ? 'failed' : 'failing'
    case 'ARCHIVED':
      return error !== null && mood === null ? 'failed' : 'done'
  }
}
