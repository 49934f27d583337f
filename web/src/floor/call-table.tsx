// The table of calls. Only the rows in sight are in the page, each in a place of its own: a change of one touches no
// other, whether there are ten or ten thousand.
import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../hooks.ts'
import { callHash } from '../route.ts'
import type { Query, SortKey } from '../state/select.ts'
import type { FloorCall } from '../state/types.ts'
import { CallRow } from './call-row.tsx'
import { useArrivals } from './use-arrivals.ts'
import { useWindow } from './use-window.ts'

/** What the table needs. */
export type CallTableProps = {
  readonly calls: readonly FloorCall[]
  readonly query: Query
  readonly onSort: (key: SortKey) => void
}

const columns: readonly (readonly [name: string, word: string, sort?: SortKey])[] = [
  ['state', 'State'],
  ['call', 'Call', 'newest'],
  ['source', 'Source'],
  ['parties', 'From → to'],
  ['time', 'Time', 'longest'],
  ['talk', 'Talk · silence'],
  ['loss', 'Lost', 'loss'],
  ['mood', 'Mood', 'mood'],
  ['tries', 'Tries', 'attempts'],
  ['said', 'Said last, or what happens next'],
]

/** The table. */
export function CallTable({ calls, query, onSort }: CallTableProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const { first, last, rowHeight } = useWindow(scroller, calls.length)
  const [selectedId, select] = useState<string | undefined>(rememberedId)
  const arrivals = useArrivals(calls)
  const selected = calls.findIndex((call) => call.call_id === selectedId)
  rememberedId = selectedId

  function move(by: number): void {
    if (calls.length === 0) return
    const next = selected < 0 ? (by > 0 ? 0 : calls.length - 1) : selected + by
    const place = Math.max(0, Math.min(calls.length - 1, next))
    select(calls[place]?.call_id)
    reveal(scroller.current, place, rowHeight)
  }

  const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2)
  const prevent = (act: () => void) => (event: KeyboardEvent) => {
    event.preventDefault()
    act()
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: prevent(() => move(1)),
    ArrowUp: prevent(() => move(-1)),
    PageDown: prevent(() => move(page())),
    PageUp: prevent(() => move(-page())),
    Home: prevent(() => move(-calls.length)),
    End: prevent(() => move(calls.length)),
    Enter: () => {
      if (selected >= 0 && selectedId !== undefined) location.hash = callHash(selectedId)
    },
    Escape: () => select(undefined),
  })

  // A click anywhere in a row opens its call, unless it was to select some text.
  useEffect(() => {
    const element = scroller.current
    const open = ({ target }: MouseEvent) => {
      const row = target instanceof Element ? target.closest('tr') : null
      if (getSelection()?.isCollapsed !== false) row?.querySelector('a')?.click()
    }
    element?.addEventListener('click', open)
    return () => element?.removeEventListener('click', open)
  }, [])

  return (
    <div id="calls" ref={scroller} class="rows" tabIndex={-1}>
      <table aria-label="Calls" aria-rowcount={calls.length + 1}>
        <thead>
          <tr class="row head" aria-rowindex={1}>
            {columns.map(([name, word, sort]) => (
              <th
                key={name}
                class={`cell ${name}`}
                scope="col"
                aria-sort={sort === query.sort ? 'descending' : undefined}
              >
                {sort === undefined ? (
                  word
                ) : (
                  <button type="button" class="plain" onClick={() => onSort(sort)}>
                    {word}
                    {sort === query.sort && <span aria-hidden="true"> ↓</span>}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: `${calls.length * rowHeight}px` }}>
          {calls.slice(first, last).map((call, index) => (
            <CallRow
              key={call.call_id}
              call={call}
              place={first + index}
              top={(first + index) * rowHeight}
              isSelected={call.call_id === selectedId}
              isNew={arrivals.has(call.call_id)}
              onSelect={select}
            />
          ))}
        </tbody>
      </table>
      {calls.length === 0 && <p class="nothing">No call is like that.</p>}
    </div>
  )
}

/** The selected call, for when a person comes back from it. */
let rememberedId: string | undefined

function reveal(scroller: HTMLElement | null, place: number, rowHeight: number): void {
  if (scroller === null) return
  const top = place * rowHeight
  const inSight = scroller.clientHeight - (scroller.querySelector('thead')?.offsetHeight ?? 0)
  if (top < scroller.scrollTop) scroller.scrollTop = top
  else if (top + rowHeight > scroller.scrollTop + inSight)
    scroller.scrollTop = top + rowHeight - inSight
}
