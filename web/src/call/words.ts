// The gateway's terms for a call, in words for a person.

/** Whose voice a track carries. */
export const roleWords: Readonly<Record<string, string>> = {
  customer: 'Customer',
  agent: 'Agent',
  both: 'Both',
}

/** Why audio is missing. */
export const causeWords: Readonly<Record<string, string>> = {
  missing: 'packets never came',
  clock: 'fewer samples came than time passed',
  reported: 'the PBX said that it was lost',
  reconnect: 'the connection was away',
  overload: 'the gateway had no room',
  paused: 'the PBX had paused it',
  unsent: 'silence, which the sender does not send',
}

/** Whether a gap is a loss: a pause and unsent silence are none. */
export function isLoss(cause: string): boolean {
  return cause !== 'paused' && cause !== 'unsent'
}

/** What a grade means. */
export const gradeWords: Readonly<Record<string, string>> = {
  A: 'at most 0.1 % lost',
  B: 'at most 1 % lost',
  C: 'at most 3 % lost',
  D: 'at most 10 % lost',
  F: 'more than 10 % lost',
}
