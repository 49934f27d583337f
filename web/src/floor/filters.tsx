// Search and filters. What is chosen is in the address, so that a view can be sent to somebody.
import { useRef } from 'preact/hooks'
import { whole } from '../format.ts'
import { useDesk, useKeys, useNow } from '../hooks.ts'
import { Mark } from '../parts/mark.tsx'
import { callStates, stateOf } from '../state/call-state.ts'
import { type Query, type SortKey, sortKeys } from '../state/select.ts'

/** What the filters need. */
export type FiltersProps = {
  readonly query: Query
  /** How many calls are shown. */
  readonly shown: number
  readonly onChange: (part: Partial<Query>) => void
}

const spans = [
  [0, 'any time'],
  [15, 'last 15 min'],
  [60, 'last hour'],
  [1_440, 'last day'],
] as const

const sortWords: Readonly<Record<SortKey, string>> = {
  newest: 'live and newest first',
  longest: 'longest first',
  loss: 'most lost first',
  mood: 'worst mood first',
  attempts: 'most attempts first',
}

/** The line above the table. */
export function Filters({ query, shown, onChange }: FiltersProps) {
  const input = useRef<HTMLInputElement>(null)
  const calls = useDesk((state) => state.calls)
  const sources = [...new Set([...calls.values()].map(({ call }) => call.source))].sort()
  const now = useNow(false)
  const present = new Set([...calls.values()].map(({ call }) => stateOf(call, now)))
  useKeys({
    '/': (event) => {
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    },
  })

  function leave(event: KeyboardEvent): void {
    if (event.key !== 'Escape' && event.key !== 'Enter') return
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Escape') onChange({ search: '' })
    document.querySelector<HTMLElement>('#calls')?.focus()
  }

  return (
    <search class="filters">
      <input
        ref={input}
        type="search"
        placeholder="/ search"
        aria-label="Search the calls"
        value={query.search}
        onInput={(event) => onChange({ search: event.currentTarget.value })}
        onKeyDown={leave}
      />
      <fieldset class="states" aria-label="State">
        {(['all', ...callStates] as const)
          .filter(
            (state) =>
              state === 'all' || state === query.state || state !== 'failed' || present.has(state),
          )
          .map((state) => (
            <button
              key={state}
              type="button"
              aria-pressed={query.state === state}
              onClick={() => onChange({ state })}
            >
              {state !== 'all' && <Mark state={state} />}
              {state}
            </button>
          ))}
      </fieldset>
      <Choice
        name="Source"
        value={query.source}
        choices={[['', 'any source'], ...sources.map((source) => [source, source] as const)]}
        onChange={(source) => onChange({ source })}
      />
      <Choice
        name="Since"
        value={String(query.minutes)}
        choices={spans.map(([minutes, word]) => [String(minutes), word])}
        onChange={(minutes) => onChange({ minutes: Number(minutes) })}
      />
      <Choice
        name="Order"
        value={query.sort}
        choices={sortKeys.map((key) => [key, sortWords[key]])}
        onChange={(sort) => onChange({ sort: sort as SortKey })}
      />
      <span class="quiet shown" role="status">
        {whole(shown)} shown
      </span>
    </search>
  )
}

type ChoiceProps = {
  readonly name: string
  readonly value: string
  readonly choices: readonly (readonly [value: string, word: string])[]
  readonly onChange: (value: string) => void
}

function Choice({ name, value, choices, onChange }: ChoiceProps) {
  return (
    <select
      aria-label={name}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {choices.map(([choice, word]) => (
        <option key={choice} value={choice}>
          {word}
        </option>
      ))}
    </select>
  )
}
