// Whether what is shown is true now: live and how far behind, or since when not.
import { localTime, timeWithZone } from '../format.ts'
import { useDesk, useNow } from '../hooks.ts'

/** The state of the connection, and the clock. */
export function ConnectionState() {
  const { state, since } = useDesk(({ connection }) => connection)
  const gateway = useDesk(({ gateway }) => gateway)
  const conflated = useDesk(({ conflated }) => conflated)
  const isBehind = useDesk(({ position }) => position === undefined)
  const lag = useDesk(({ ticks }) => ticks.at(-1)?.lag_ms)
  const now = new Date(useNow())
  const isLive = state === 'live'
  return (
    <div class="connection" data-state={state}>
      <span role="status" title={gateway === '' ? '' : `This page is served by ${gateway}`}>
        <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
          {isLive ? (
            <circle cx="6" cy="6" r="4" fill="currentColor" />
          ) : (
            <path d="M6 1.5 11 10.5H1z" fill="none" stroke="currentColor" stroke-width="1.5" />
          )}
        </svg>
        {isLive
          ? isBehind
            ? 'catching up'
            : 'live'
          : state === 'lost'
            ? `not connected since ${localTime(new Date(since), new Date())}; trying again`
            : 'connecting'}
      </span>
      {isLive && typeof lag === 'number' && (
        <span class="quiet lag" title="From the commit of an event to its way to this page">
          {(lag / 1_000).toFixed(2)} s
        </span>
      )}
      {conflated > 0 && (
        <span
          class="quiet"
          title="This page read too slowly; it got the newest state of these calls"
        >
          {conflated} merged
        </span>
      )}
      <time class="clock" title={timeWithZone(now)}>
        {now.toLocaleTimeString()}
      </time>
    </div>
  )
}
