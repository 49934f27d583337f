// The frame around every view: where one is, whether it is live, what time it is; and the keys that work everywhere.
import { useEffect, useState } from 'preact/hooks'
import { CallView } from './call/call-view.tsx'
import { FloorView } from './floor/floor-view.tsx'
import { useKeys, useRoute } from './hooks.ts'
import { ConnectionState } from './parts/connection.tsx'
import { Help } from './parts/help.tsx'
import { ThemeSwitch } from './parts/theme-switch.tsx'
import { ProvidersView } from './plots/providers-view.tsx'
import { SystemView } from './plots/system-view.tsx'
import type { Route } from './route.ts'

const views = [
  ['floor', 'Floor', '#/'],
  ['providers', 'Providers', '#/providers'],
  ['system', 'System', '#/system'],
] as const

/** The desk. */
export function App() {
  const route = useRoute()
  const [helps, setHelps] = useState(false)
  const title = titleOf(route)
  useEffect(() => {
    document.title = `${title} · AI PBX Gateway`
  }, [title])
  useKeys({
    '?': () => setHelps(true),
    1: () => go('#/'),
    2: () => go('#/providers'),
    3: () => go('#/system'),
  })
  return (
    <>
      <button type="button" class="skip" onClick={skipToContent}>
        Skip to the content
      </button>
      <header class="bar">
        <h1>AI PBX Gateway</h1>
        <nav aria-label="Views">
          {views.map(([view, name, href]) => (
            <a key={view} href={href} aria-current={isIn(view, route) ? 'page' : undefined}>
              {name}
            </a>
          ))}
          <a href="/docs">API</a>
        </nav>
        <ConnectionState />
        <ThemeSwitch />
        <button
          type="button"
          class="plain"
          onClick={() => setHelps(true)}
          aria-label="Keys and help"
        >
          ?
        </button>
      </header>
      <main id="content" tabIndex={-1} class={`view-${route.view}`}>
        <View route={route} />
      </main>
      {helps && <Help onClose={() => setHelps(false)} />}
    </>
  )
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'floor':
      return <FloorView query={route.query} />
    case 'call':
      return <CallView key={route.callId} callId={route.callId} />
    case 'providers':
      return <ProvidersView />
    case 'system':
      return <SystemView />
  }
}

function isIn(view: string, route: Route): boolean {
  return view === route.view || (view === 'floor' && route.view === 'call')
}

function titleOf(route: Route): string {
  if (route.view === 'call') return route.callId
  return views.find(([view]) => view === route.view)?.[1] ?? 'Floor'
}

function go(hash: string): void {
  location.hash = hash
}

function skipToContent(): void {
  document.querySelector<HTMLElement>('#content')?.focus()
}
