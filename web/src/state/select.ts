// Which calls the floor shows, and in which order. Pure.
import { type CallState, stateOf } from './call-state.ts'
import type { Seen } from './reduce.ts'
import type { FloorCall } from './types.ts'

/** What a person asked the floor for; it is in the address, too. */
export type Query = {
  readonly search: string
  readonly state: CallState | 'all'
  readonly source: string
  /** Only calls that began in the last so many minutes; 0: all. */
  readonly minutes: number
  readonly sort: SortKey
}

/** Columns that can be sorted by. */
export const sortKeys = ['newest', 'longest', 'loss', 'mood', 'attempts'] as const
/** One of {@link sortKeys}. */
export type SortKey = (typeof sortKeys)[number]

/** Everything, in the usual order. */
export const wholeFloor: Query = {
  search: '',
  state: 'all',
  source: '',
  minutes: 0,
  sort: 'newest',
}

/**
 * The calls to show. In the usual order live calls are first, then unfinished ones, newest first: none changes its
 * place while it is live.
 * @param now the clock of the gateway, in milliseconds since 1970
 */
export function selectCalls(
  calls: ReadonlyMap<string, Seen>,
  query: Query,
  now: number,
): readonly FloorCall[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean)
  const since = query.minutes === 0 ? '' : new Date(now - query.minutes * 60_000).toISOString()
  const shown: FloorCall[] = []
  for (const { call } of calls.values()) {
    if (query.state !== 'all' && stateOf(call, now) !== query.state) continue
    if (query.source !== '' && call.source !== query.source) continue
    if (call.started_at < since) continue
    if (words.length > 0 && !isAbout(call, words, now)) continue
    shown.push(call)
  }
  const order = orders[query.sort]
  return shown.sort((one, other) => order(one, other, now) || newestFirst(one, other))
}

function isAbout(call: FloorCall, words: readonly string[], now: number): boolean {
  const { call_id, source, from, to, said_last, error, mood } = call
  const text = [call_id, source, from, to, said_last, error, mood, stateOf(call, now)]
    .join('\n')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

type Order = (one: FloorCall, other: FloorCall, now: number) => number

function newestFirst(one: FloorCall, other: FloorCall): number {
  if (one.started_at !== other.started_at) return one.started_at < other.started_at ? 1 : -1
  return one.call_id < other.call_id ? 1 : -1
}

/** Live calls are first, then those that the gateway still works for. */
function rank({ status }: FloorCall): number {
  if (status === 'IN_PROGRESS') return 2
  return status === 'ARCHIVED' ? 0 : 1
}

const orders: Readonly<Record<SortKey, Order>> = {
  newest: (one, other) => rank(other) - rank(one),
  longest: (one, other, now) => lastedMs(other, now) - lastedMs(one, now),
  loss: (one, other) => lossShare(other) - lossShare(one),
  mood: (one, other) => (one.mood_score ?? 2) - (other.mood_score ?? 2),
  attempts: (one, other) => other.attempts - one.attempts,
}

/** How long a call has lasted, in milliseconds: its audio where that is measured, else as the clock tells. */
export function lastedMs(call: FloorCall, now: number): number {
  if (call.talk !== null) return call.talk.length_ms
  const end = call.completed_at ?? (call.status === 'IN_PROGRESS' ? now : call.last_packet_at)
  const endMs = typeof end === 'number' ? end : Date.parse(end ?? call.started_at)
  return Math.max(0, endMs - Date.parse(call.started_at))
}

/** The share of the packets of a call that are lost, 0 to 1. */
export function lossShare({ packets, lost_packets: lost }: FloorCall): number {
  return lost === 0 ? 0 : lost / (lost + packets)
}
