// What components draw from: the store, the clock, the address, answers of the gateway.
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, ask } from './net/api.ts'
import { parseRoute, type Route } from './route.ts'
import type { DeskState } from './state/reduce.ts'
import type { Store } from './state/store.ts'

/** The store, for all components. */
export const DeskContext = createContext<Store | undefined>(undefined)

/** The store. */
export function useStore(): Store {
  const store = useContext(DeskContext)
  if (store === undefined) throw new Error('There is no store around this component')
  return store
}

/** A part of the state; the component is drawn anew when it is another one. */
export function useDesk<Part>(select: (state: DeskState) => Part): Part {
  const store = useStore()
  const [, redraw] = useState(0)
  const selected = select(store.state())
  const latest = useRef({ selected, select })
  latest.current = { selected, select }
  useEffect(
    () =>
      store.subscribe(() => {
        if (!Object.is(latest.current.select(store.state()), latest.current.selected))
          redraw((count) => count + 1)
      }),
    [store],
  )
  return selected
}

const clockListeners = new Set<() => void>()
let ticking = false

function startTicking(): void {
  if (ticking) return
  ticking = true
  const tick = () => {
    for (const listener of clockListeners) listener()
    // On the second, so that all durations change at once.
    window.setTimeout(tick, 1_000 - (Date.now() % 1_000))
  }
  window.setTimeout(tick, 1_000 - (Date.now() % 1_000))
}

/** The clock of the gateway, in milliseconds since 1970; drawn anew every second while `runs`. */
export function useNow(runs = true): number {
  const store = useStore()
  const [, redraw] = useState(0)
  useEffect(() => {
    if (!runs) return undefined
    startTicking()
    const listener = () => redraw((count) => count + 1)
    clockListeners.add(listener)
    return () => clockListeners.delete(listener)
  }, [runs])
  return Date.now() + store.state().skewMs
}

/** What the address names. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash))
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  }, [])
  return route
}

/** Calls back on a key, unless a person is typing or a dialog is open. */
export function useKeys(keys: Readonly<Record<string, (event: KeyboardEvent) => void>>): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (document.querySelector('dialog[open]') !== null) return
      const target = event.target instanceof HTMLElement ? event.target : undefined
      if (target?.closest('input:not([type=range]), select, textarea') && event.key !== 'Escape')
        return
      if (event.key === ' ' && target?.closest('button, a, summary, input')) return
      if (event.key === 'Enter' && target?.closest('button, a, summary')) return
      latest.current[event.key]?.(event)
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

/** An answer that is kept up to date. */
export type Answer<Reply> = {
  readonly value: Reply | undefined
  readonly error: ApiError | undefined
  readonly reload: () => void
}

type Known<Reply> = { path: string | undefined; version: string; value?: Reply; error?: ApiError }

/**
 * Asks for something, again when `revision` changes, and every so many milliseconds if `everyMs` is not 0. What was
 * known stays until there is something newer. Without a path nothing is asked.
 */
export function useAnswer<Reply>(
  path: string | undefined,
  revision: string | number,
  everyMs = 0,
): Answer<Reply> {
  const [asked, setAsked] = useState(0)
  const version = `${revision}/${asked}`
  const [answer, setAnswer] = useState<Known<Reply>>({ path, version })
  useEffect(() => {
    if (path === undefined) return undefined
    let isGone = false
    let timer: number | undefined
    const read = async () => {
      try {
        const value = await ask<Reply>(path)
        if (!isGone) setAnswer({ path, version, value })
      } catch (error) {
        if (!isGone && error instanceof ApiError)
          setAnswer((before) =>
            before.path === path && error.status === 0
              ? { ...before, error }
              : { path, version, error },
          )
      }
      if (everyMs > 0 && !isGone) timer = window.setTimeout(read, everyMs)
    }
    void read()
    return () => {
      isGone = true
      window.clearTimeout(timer)
    }
  }, [path, version, everyMs])
  const reload = useCallback(() => setAsked((count) => count + 1), [])
  const isOfPath = answer.path === path
  return {
    value: isOfPath ? answer.value : undefined,
    error: isOfPath ? answer.error : undefined,
    reload,
  }
}
