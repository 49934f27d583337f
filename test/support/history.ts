// What clients sent and what they were told, request by request: the input of the checker in
// invariants.ts.

/** What the answer to a request says about its packet. */
export type Outcome =
  /** 2xx: the packet is durable. */
  | 'acknowledged'
  /** The answer says that nothing was stored. */
  | 'refused'
  /** No answer, or one that leaves it open: the packet may be stored or not, but never half. */
  | 'unknown'

/** One request with one packet, and its answer. */
export type PacketRequest = {
  readonly callId: string
  readonly sequence: number
  readonly data: string
  readonly timestamp: number
  readonly outcome: Outcome
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  /** Of an acknowledged packet: the answer called it a repeat. */
  readonly duplicate: boolean
}

/** Every packet request of a test, in the order in which they ended; never reduced or sampled. */
export type History = readonly PacketRequest[]

const nothingStored = new Set(['overloaded', 'call_locked', 'shutting_down', 'unreachable'])

/** What an answer says, by its status and the code of its body. */
export function outcomeOf(status: number, code: unknown): Outcome {
  if (status >= 200 && status < 300) return 'acknowledged'
  if (status >= 400 && status < 500) return 'refused'
  return typeof code === 'string' && nothingStored.has(code) ? 'refused' : 'unknown'
}

/** How many requests of a history had an outcome. */
export function count(history: History, outcome: Outcome): number {
  return history.filter((request) => request.outcome === outcome).length
}
