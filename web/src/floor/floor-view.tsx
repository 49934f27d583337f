// The floor: is anything wrong, which call, and what is being done about it.
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useDesk, useNow, useStore } from '../hooks.ts'
import { findCalls } from '../net/refresh.ts'
import { floorHash, rememberFloor } from '../route.ts'
import { type Query, selectCalls } from '../state/select.ts'
import { CallTable } from './call-table.tsx'
import { Empty } from './empty.tsx'
import { Filters } from './filters.tsx'
import { Overview } from './overview.tsx'

const searchPauseMs = 300

/** The floor. */
export function FloorView({ query }: { readonly query: Query }) {
  const store = useStore()
  const calls = useDesk((state) => state.calls)
  const isKnown = useDesk((state) => state.position !== undefined || state.calls.size > 0)
  const shown = useShown(calls, query)
  const { search } = query
  rememberFloor(query)

  useEffect(() => {
    if (search.trim() === '') return undefined
    const timer = window.setTimeout(() => void findCalls(store, search.trim()), searchPauseMs)
    return () => window.clearTimeout(timer)
  }, [store, search])

  function change(part: Partial<Query>): void {
    // Not a step for the back button: that leads out of the floor, not through each letter of a search.
    history.replaceState(null, '', floorHash({ ...query, ...part }))
    window.dispatchEvent(new HashChangeEvent('hashchange'))
  }

  if (!isKnown) return <p class="loading">Reading the floor…</p>
  return (
    <>
      <Overview />
      {calls.size === 0 && search === '' ? (
        <Empty />
      ) : (
        <>
          <Filters query={query} shown={shown.length} onChange={change} />
          <CallTable calls={shown} query={query} onSort={(sort) => change({ sort })} />
        </>
      )}
    </>
  )
}

/** The calls to show: of another query at once, of other calls when they changed. */
function useShown(calls: Parameters<typeof selectCalls>[0], query: Query) {
  const now = useNow()
  const latest = useRef(now)
  latest.current = now
  // Waits end and durations grow without a message: with the clock, but not at each of its seconds.
  const coarseNow = Math.floor(now / 5_000)
  return useMemo(
    () => selectCalls(calls, query, Math.max(latest.current, coarseNow)),
    [calls, query, coarseNow],
  )
}
