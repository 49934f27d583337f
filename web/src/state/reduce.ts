// What the desk knows, and how each message changes it. Pure, and safe against anything that a feed does: events come
// again after a reconnect, a refresh overtakes them or is overtaken, a position is lost.
import type { Backlog, Counts, FeedEvent, Floor, FloorCall, Status, Tick } from './types.ts'

/** A call, and the position of the feed up to which it is true. */
export type Seen = { readonly call: FloorCall; readonly position: number }

/** How the connection to the gateway is, and since when (milliseconds since 1970). */
export type Connection = {
  readonly state: 'connecting' | 'live' | 'lost'
  readonly since: number
}

/** Everything the floor is drawn from. */
export type DeskState = {
  /** The newest event that is in here; undefined before the first snapshot. */
  readonly position: number | undefined
  readonly calls: ReadonlyMap<string, Seen>
  readonly counts: Counts
  /** The position for which the counts were counted by the gateway. */
  readonly countedAt: number
  readonly backlog: Backlog
  readonly overdue: number
  readonly gateway: string
  /** The last minute, oldest first. */
  readonly ticks: readonly Tick[]
  /** The clock of the gateway minus ours, in milliseconds. */
  readonly skewMs: number
  readonly connection: Connection
  /** How many calls came only in their newest state, since we read too slowly; 0 usually. */
  readonly conflated: number
}

/** What can happen. `at` is our clock, in milliseconds since 1970. */
export type Message =
  | { readonly kind: 'snapshot'; readonly floor: Floor; readonly at: number }
  | { readonly kind: 'refreshed'; readonly floor: Floor; readonly at: number }
  | { readonly kind: 'event'; readonly event: FeedEvent }
  | { readonly kind: 'tick'; readonly tick: Tick; readonly at: number }
  | { readonly kind: 'conflated'; readonly calls: number }
  | { readonly kind: 'resync' }
  | { readonly kind: 'erased'; readonly callId: string }
  | { readonly kind: 'connection'; readonly state: Connection['state']; readonly at: number }

const noCalls: Counts = { IN_PROGRESS: 0, COMPLETED: 0, PROCESSING_AI: 0, FAILED: 0, ARCHIVED: 0 }

/** Before anything was heard. */
export function emptyState(at: number): DeskState {
  return {
    position: undefined,
    calls: new Map(),
    counts: noCalls,
    countedAt: 0,
    backlog: { waiting: 0, running: 0, failing: 0, oldest_at: null },
    overdue: 0,
    gateway: '',
    ticks: [],
    skewMs: 0,
    connection: { state: 'connecting', since: at },
    conflated: 0,
  }
}

/** The most calls that are kept; those that ended first are forgotten first. */
export const mostCalls = 6_000
const keptTicks = 60
/** Clocks that differ by less are not corrected again: durations would waver. */
const noticeableSkewMs = 250

type Draft = { -readonly [Field in keyof DeskState]: DeskState[Field] } & {
  calls: Map<string, Seen>
}

/** The state after all of these messages. */
export function reduce(state: DeskState, messages: readonly Message[]): DeskState {
  const touchesCalls = messages.some(({ kind }) => kind !== 'tick' && kind !== 'connection')
  const calls = touchesCalls ? new Map(state.calls) : (state.calls as Map<string, Seen>)
  const draft: Draft = { ...state, calls }
  for (const message of messages) apply(draft, message)
  if (draft.calls.size > mostCalls) forgetOldest(draft.calls)
  return draft
}

function apply(draft: Draft, message: Message): void {
  switch (message.kind) {
    case 'snapshot':
      draft.calls = new Map()
      draft.position = message.floor.position
      draft.countedAt = -1
      draft.conflated = 0
      takeFloor(draft, message.floor, message.at)
      break
    case 'refreshed':
      // Before a snapshot there is nothing to compare it with.
      if (draft.position !== undefined) takeFloor(draft, message.floor, message.at)
      break
    case 'event':
      takeEvent(draft, message.event)
      break
    case 'tick':
      draft.ticks = [...draft.ticks.slice(1 - keptTicks), message.tick]
      correctClock(draft, message.tick.now, message.at)
      takeCounts(draft, message.tick)
      break
    case 'conflated':
      draft.conflated += message.calls
      break
    case 'resync':
      draft.position = undefined
      break
    case 'erased':
      erase(draft, message.callId)
      break
    case 'connection':
      if (draft.connection.state !== message.state)
        draft.connection = { state: message.state, since: message.at }
      break
  }
}

function takeFloor(draft: Draft, floor: Floor, at: number): void {
  for (const call of floor.calls) {
    const seen = draft.calls.get(call.call_id)
    if (seen === undefined || seen.position <= floor.position)
      draft.calls.set(call.call_id, { call, position: seen?.position ?? floor.position })
  }
  correctClock(draft, floor.now, at)
  draft.gateway = floor.gateway
  if (!takeCounts(draft, floor)) return
  draft.backlog = floor.backlog
  draft.overdue = floor.overdue
}

/** Takes what the gateway has counted, unless it is older than what is known; events that were merged count for one. */
function takeCounts(draft: Draft, { position, counts }: Pick<Floor, 'position' | 'counts'>) {
  if (draft.position === undefined) return false
  const isNews = position >= Math.max(draft.countedAt, draft.position)
  if (isNews) {
    draft.counts = counts
    draft.countedAt = position
  }
  return isNews
}

function takeEvent(draft: Draft, event: FeedEvent): void {
  const { position, call_id: id } = event
  if (draft.position === undefined || position <= draft.position) return
  draft.position = position
  if (event.event === 'call_erased') {
    erase(draft, id)
    return
  }
  if (event.type === 'call_update' && position > draft.countedAt) count(draft, event)
  const known = draft.calls.get(id)?.call
  const call = event.call ?? (known && afterwards(known, event))
  if (call !== undefined) draft.calls.set(id, { call, position })
}

/** A call after an event that does not bring it along. */
function afterwards(call: FloorCall, { type, status, data }: FeedEvent): FloorCall {
  if (type === 'call_update' && status !== undefined) return { ...call, status }
  if (type !== 'analysis_attempt') return call
  const { attempt, error, next_attempt_at: next } = data ?? {}
  return {
    ...call,
    attempts: typeof attempt === 'number' ? attempt : call.attempts,
    error: typeof error === 'string' ? error : call.error,
    next_attempt_at: typeof next === 'string' ? next : null,
  }
}

function count(draft: Draft, { status, data }: FeedEvent): void {
  if (status === undefined) return
  const counts: Record<Status, number> = { ...draft.counts }
  const previous = data?.previous_status
  if (typeof previous === 'string' && previous in counts)
    counts[previous as Status] = Math.max(0, counts[previous as Status] - 1)
  counts[status] += 1
  draft.counts = counts
}

function erase(draft: Draft, callId: string): void {
  const seen = draft.calls.get(callId)
  if (seen === undefined) return
  draft.calls.delete(callId)
  const { status } = seen.call
  draft.counts = { ...draft.counts, [status]: Math.max(0, draft.counts[status] - 1) }
}

function correctClock(draft: Draft, now: string, at: number): void {
  const skew = Date.parse(now) - at
  if (Math.abs(skew - draft.skewMs) > noticeableSkewMs) draft.skewMs = skew
}

function forgetOldest(calls: Map<string, Seen>): void {
  const ended = [...calls.values()]
    .filter(({ call }) => call.status === 'ARCHIVED' || call.status === 'FAILED')
    .toSorted((one, other) => (one.call.started_at < other.call.started_at ? -1 : 1))
  for (const { call } of ended.slice(0, calls.size - mostCalls)) calls.delete(call.call_id)
}
