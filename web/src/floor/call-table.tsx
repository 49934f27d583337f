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
  ['loss', 'Lost', 'loss'],
  ['mood', 'Mood', 'mood'],
  ['said', 'Said last, or what happens next'],
]

/** The table. */
export function CallTable({ calls, query, onSort }: CallTableProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const { first, last, rowHeight } = useWindow(scroller, calls.length)
  const [selectedId, select] = useState<string | undefined>(rememberedId)
  const arrivals = useArrivals(calls)
  const selected = calls.findIndex((call) => call.call_id === selectedId)

  useEffect(() => {
    rememberedId = selectedId
  }, [selectedId])

  function move(by: number): void {
    if (calls.length === 0) return
    const next = selected < 0 ? (by > 0 ? 0 : calls.length - 1) : selected + by
    const place = Math.max(0, Math.min(calls.length - 1, next))
    select(calls[place]?.call_id)
    reveal(scroller.current, place, rowHeight)
  }

  function open(): void {
    if (selectedId !== undefined && selected >= 0) location.hash = callHash(selectedId)
  }

  const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1)
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
    Enter: open,
    Escape: () => select(undefined),
  })

  return (
    <div
      id="calls"
      class="table"
      role="grid"
      aria-label="Calls"
      aria-rowcount={calls.length + 1}
      aria-activedescendant={selected >= first && selected < last ? rowId(selectedId) : undefined}
      tabIndex={0}
    >
      <div class="row head" role="row" aria-rowindex={1} tabIndex={-1}>
        {columns.map(([name, word, sort]) => (
          <div
            key={name}
            class={`cell ${name}`}
            role="columnheader"
            aria-sort={sort === query.sort ? 'descending' : undefined}
            tabIndex={-1}
          >
            {sort === undefined ? (
              word
            ) : (
              <button type="button" class="plain" onClick={() => onSort(sort)}>
                {word}
                {sort === query.sort && <span aria-hidden="true"> ↓</span>}
              </button>
            )}
          </div>
        ))}
      </div>
      <div ref={scroller} class="rows" role="rowgroup">
        <div class="extent" role="presentation" style={{ height: `${calls.length * rowHeight}px` }}>
          {calls.slice(first, last).map((call, index) => (
            <CallRow
              key={call.call_id}
              call={call}
              id={rowId(call.call_id) ?? ''}
              place={first + index}
              top={(first + index) * rowHeight}
              isSelected={call.call_id === selectedId}
              isNew={arrivals.has(call.call_id)}
              onSelect={select}
            />
          ))}
        </div>
        {calls.length === 0 && <p class="nothing">No call is like that.</p>}
      </div>
    </div>
  )
}

/** The selected call, for when a person comes back from it. */
let rememberedId: string | undefined

function rowId(callId: string | undefined): string | undefined {
  return callId === undefined ? undefined : `row-${encodeURIComponent(callId)}`
}

function reveal(scroller: HTMLElement | null, place: number, rowHeight: number): void {
  if (scroller === null) return
  const top = place * rowHeight
  const { scrollTop, clientHeight } = scroller
  if (top < scrollTop) scroller.scrollTop = top
  else if (top + rowHeight > scrollTop + clientHeight)
    scroller.scrollTop = top + rowHeight - clientHeight
}
