// What no event tells: the packets of live calls grow, the oldest waiting call grows older. Asked for every few
// seconds while somebody looks, less often with more calls.
import type { Store } from '../state/store.ts'
import type { Floor } from '../state/types.ts'
import { ask } from './api.ts'

const shortestPauseMs = 3_000
const pausePerCallMs = 10

/** Asks for as long as the page lives. */
export function refreshFloor(store: Store): void {
  async function refresh(): Promise<void> {
    const { connection, position, counts } = store.state()
    if (!document.hidden && connection.state === 'live' && position !== undefined)
      try {
        const floor = await ask<Floor>('/v1/floor?status=IN_PROGRESS&limit=1000')
        store.dispatch({ kind: 'refreshed', floor, at: Date.now() })
      } catch {
        // The feed says whether the gateway is there.
      }
    const pauseMs = Math.max(shortestPauseMs, counts.IN_PROGRESS * pausePerCallMs)
    window.setTimeout(() => void refresh(), pauseMs)
  }
  window.setTimeout(() => void refresh(), shortestPauseMs)
}

/** Looks for calls that are not on the floor any more. */
export async function findCalls(store: Store, search: string): Promise<void> {
  try {
    const floor = await ask<Floor>(`/v1/floor?limit=200&search=${encodeURIComponent(search)}`)
    store.dispatch({ kind: 'refreshed', floor, at: Date.now() })
  } catch {
    // What is on the floor was searched already.
  }
}
