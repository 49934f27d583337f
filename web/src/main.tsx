// Where the desk begins: the store, what feeds it, and the page drawn from it.
import { render } from 'preact'
import { App } from './app.tsx'
import { DeskContext } from './hooks.ts'
import { refreshFloor } from './net/refresh.ts'
import { followFeed } from './net/stream.ts'
import { emptyState } from './state/reduce.ts'
import { createStore } from './state/store.ts'
import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/page.css'
import './styles/floor.css'
import './styles/call.css'
import './styles/figures.css'
import { applyTheme, storedTheme } from './theme.ts'

applyTheme(storedTheme())
const hiddenPauseMs = 1_000
const store = createStore(emptyState(Date.now()), (run) => {
  // A hidden page gets no frames.
  if (document.hidden) window.setTimeout(run, hiddenPauseMs)
  else requestAnimationFrame(run)
})
followFeed(store)
refreshFloor(store)

const root = document.querySelector('#desk')
if (root !== null)
  render(
    <DeskContext.Provider value={store}>
      <App />
    </DeskContext.Provider>,
    root,
  )
