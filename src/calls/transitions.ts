// The states of a call and the legal ways between them. Pure. The database refuses everything else by itself
// (is_legal_transition() in the migrations); a test holds the two tables against each other.

/** The states of a call, in the order of a life. */
export const callStatuses = [
  'IN_PROGRESS',
  'COMPLETED',
  'PROCESSING_AI',
  'FAILED',
  'ARCHIVED',
] as const
export type CallStatus = (typeof callStatuses)[number]

type Condition = 'always' | 'with a result' | 'without a result'

/** From each state, the states that may follow, and whether that depends on the call's result. */
export const transitions: Readonly<
  Record<CallStatus, Readonly<Partial<Record<CallStatus, Condition>>>>
> = {
  IN_PROGRESS: { COMPLETED: 'always', FAILED: 'always' },
  COMPLETED: { PROCESSING_AI: 'without a result', ARCHIVED: 'always' },
  PROCESSING_AI: { COMPLETED: 'always', ARCHIVED: 'with a result', FAILED: 'without a result' },
  FAILED: { PROCESSING_AI: 'without a result', ARCHIVED: 'always' },
  ARCHIVED: {},
}

/** True when a call may go from one state to another. */
export function isLegalTransition(from: CallStatus, to: CallStatus, hasResult: boolean): boolean {
  const condition = transitions[from][to]
  if (condition === undefined) return false
  return condition === 'always' || (condition === 'with a result') === hasResult
}
