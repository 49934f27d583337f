// Holds the state. Messages are collected and applied together, once a frame, so that a burst of any size costs one
// drawing.
import { type DeskState, type Message, reduce } from './reduce.ts'

/** The store. */
export type Store = {
  readonly state: () => DeskState
  readonly dispatch: (message: Message) => void
  /** Calls back after each change, until the function it returns is called. */
  readonly subscribe: (listener: () => void) => () => void
}

/** So many messages are not left waiting for a frame, which a hidden page may not get. */
const mostWaiting = 2_000

/** Builds it. @param schedule runs something at the next frame */
export function createStore(initial: DeskState, schedule: (run: () => void) => void): Store {
  let state = initial
  let waiting: Message[] = []
  const listeners = new Set<() => void>()

  function flush(): void {
    if (waiting.length === 0) return
    const messages = waiting
    waiting = []
    state = reduce(state, messages)
    for (const listener of listeners) listener()
  }

  return {
    state: () => state,
    dispatch: (message) => {
      waiting.push(message)
      if (waiting.length === 1) schedule(flush)
      else if (waiting.length >= mostWaiting) flush()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
