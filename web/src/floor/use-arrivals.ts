// Which calls have just come, to be shown by a short highlight; none of those that were there at first.
import { useRef } from 'preact/hooks'
import type { FloorCall } from '../state/types.ts'

const newForMs = 1_500

/** The ids of calls that are new since a moment. */
export function useArrivals(calls: readonly FloorCall[]): ReadonlySet<string> {
  const known = useRef<Map<string, number> | undefined>(undefined)
  const now = performance.now()
  const isFirst = known.current === undefined
  known.current ??= new Map()
  const arrivals = new Set<string>()
  for (const { call_id: id, status } of calls) {
    const since = known.current.get(id)
    if (since === undefined)
      known.current.set(id, isFirst || status !== 'IN_PROGRESS' ? -newForMs : now)
    if (now - (known.current.get(id) ?? 0) < newForMs) arrivals.add(id)
  }
  return arrivals
}
