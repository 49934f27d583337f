// The connection to the feed: Server-Sent Events, resumed after the last event that is in the store, from whichever
// gateway answers at this address.
import type { Message } from '../state/reduce.ts'
import type { FeedEvent, Floor, Tick } from '../state/types.ts'

/** What the connection needs. */
export type FeedOptions = {
  readonly dispatch: (message: Message) => void
}

/** A gateway that says nothing for so long is gone: it ticks every second. */
const longestSilenceMs = 6_000
const [shortestPauseMs, longestPauseMs] = [250, 4_000]
const eventTypes = ['call_update', 'ai_result', 'analysis_attempt', 'call_event']

/** Follows the feed for as long as the page lives. */
export function followFeed({ dispatch }: FeedOptions): void {
  let position: number | undefined
  let pauseMs = shortestPauseMs
  let source: EventSource
  let watchdog: number | undefined

  function heard(): void {
    window.clearTimeout(watchdog)
    watchdog = window.setTimeout(lost, longestSilenceMs)
  }

  function lost(): void {
    source.close()
    window.clearTimeout(watchdog)
    dispatch({ kind: 'connection', state: 'lost', at: Date.now() })
    window.setTimeout(connect, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }

  function connect(): void {
    source = new EventSource(position === undefined ? '/v1/events' : `/v1/events?after=${position}`)
    heard()
    source.addEventListener('error', lost)
    source.addEventListener('open', () => {
      heard()
      pauseMs = shortestPauseMs
      dispatch({ kind: 'connection', state: 'live', at: Date.now() })
    })
    on<Floor>('snapshot', (floor) => {
      position = floor.position
      dispatch({ kind: 'snapshot', floor, at: Date.now() })
    })
    on<Tick>('tick', (tick) => dispatch({ kind: 'tick', tick, at: Date.now() }))
    on<{ calls: number }>('conflated', ({ calls }) => dispatch({ kind: 'conflated', calls }))
    on('resync', () => {
      position = undefined
      dispatch({ kind: 'resync' })
    })
    for (const type of eventTypes)
      on<FeedEvent>(type, (data, id) => {
        const event = { ...data, type, position: data.position ?? Number(id) }
        position = Math.max(position ?? 0, event.position)
        dispatch({ kind: 'event', event })
      })
  }

  function on<Data>(type: string, take: (data: Data, id: string) => void): void {
    source.addEventListener(type, (event: MessageEvent<string>) => {
      heard()
      take(JSON.parse(event.data) as Data, event.lastEventId)
    })
  }

  connect()
}
