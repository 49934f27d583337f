// The address of every view, behind the `#`: `#/`, `#/?state=live&sort=loss`, `#/call/CALL-1`, `#/providers`. Pure.
import { callStates } from './state/call-state.ts'
import { type Query, sortKeys, wholeFloor } from './state/select.ts'

/** A view. */
export type Route =
  | { readonly view: 'floor'; readonly query: Query }
  | { readonly view: 'call'; readonly callId: string }
  | { readonly view: 'providers' }
  | { readonly view: 'system' }

/** The view of an address; the floor, if it names none. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?')
  if (path.startsWith('call/')) return { view: 'call', callId: decode(path.slice('call/'.length)) }
  if (path === 'providers' || path === 'system') return { view: path }
  return { view: 'floor', query: parseQuery(new URLSearchParams(search)) }
}

function parseQuery(given: URLSearchParams): Query {
  const minutes = Number(given.get('minutes'))
  return {
    search: given.get('search') ?? '',
    state: callStates.find((state) => state === given.get('state')) ?? 'all',
    source: given.get('source') ?? '',
    minutes: minutes > 0 && minutes < 1e6 ? minutes : 0,
    sort: sortKeys.find((key) => key === given.get('sort')) ?? 'newest',
  }
}

/** The address of the floor as it is shown. */
export function floorHash(query: Query): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== wholeFloor[name as keyof Query]) given.set(name, String(value))
  const search = given.toString()
  return search === '' ? '#/' : `#/?${search}`
}

/** The address of a call. */
export function callHash(callId: string): string {
  return `#/call/${encodeURIComponent(callId)}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

let lastFloor = '#/'

/** The address of the floor as it was seen last. */
export function lastFloorHash(): string {
  return lastFloor
}

/** Keeps the address of the floor, for when a person comes back to it. */
export function rememberFloor(query: Query): void {
  lastFloor = floorHash(query)
}
