// A number that a person looks at first, with the shape and colour of its state; quiet when it is 0.
import type { ComponentChildren } from 'preact'
import { whole } from '../format.ts'
import type { CallState } from '../state/call-state.ts'
import { Mark } from './mark.tsx'

/** What is counted. */
export type TotalProps = {
  readonly state: CallState
  readonly count: number
  readonly word: string
  readonly children?: ComponentChildren
  /** Where these calls are shown. */
  readonly href?: string
}

/** One of a list of totals. */
export function Total({ state, count, word, children, href }: TotalProps) {
  const isQuiet = count === 0 || state === 'done'
  const text = (
    <>
      <Mark state={state} /> <strong>{whole(count)}</strong> {word}
    </>
  )
  return (
    <li class={isQuiet ? 'none' : `state-${state}`}>
      {href === undefined ? text : <a href={href}>{text}</a>} {children}
    </li>
  )
}
