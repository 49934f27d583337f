// The shape of each state, drawn: the same at every size and in every font, and told apart without colour.
import type { CallState } from '../state/call-state.ts'

/** The shape of a state; the word stands beside it, so a screen reader is told nothing. */
export function Mark({ state }: { readonly state: CallState }) {
  return (
    <svg class={`mark state-${state}`} viewBox="0 0 12 12" aria-hidden="true">
      {shapes[state]}
    </svg>
  )
}

const ring = <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5" />

const shapes = {
  live: (
    <>
      {ring}
      <circle cx="6" cy="6" r="2.5" fill="currentColor" />
    </>
  ),
  waiting: (
    <>
      {ring}
      <path d="M6 3.2V6l2 1.4" fill="none" stroke="currentColor" stroke-width="1.3" />
    </>
  ),
  analysing: (
    <>
      {ring}
      <path d="M6 1.25a4.75 4.75 0 0 1 0 9.5z" fill="currentColor" />
    </>
  ),
  failing: <path d="M6 1.5 11 10.5H1z" fill="none" stroke="currentColor" stroke-width="1.5" />,
  failed: (
    <path
      fill-rule="evenodd"
      d="M6 .6 11.8 11H.2zM5.3 4.4v3.2h1.4V4.4zm0 4v1.3h1.4V8.4z"
      fill="currentColor"
    />
  ),
  done: <path d="m1.8 6.4 2.9 2.9 5.5-6.2" fill="none" stroke="currentColor" stroke-width="1.7" />,
} as const
