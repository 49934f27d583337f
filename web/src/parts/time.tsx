// Times on the page: local, with zone and UTC on hover; and texts that have times in them.
import { localTime, roughly, timeWithZone } from '../format.ts'
import { useNow } from '../hooks.ts'

/** A point in time. @param at ISO 8601 */
export function Time({ at }: { readonly at: string }) {
  const date = new Date(at)
  return (
    <time dateTime={at} title={timeWithZone(date)}>
      {localTime(date, new Date())}
    </time>
  )
}

/** How long ago something was, or how long it still takes. @param at ISO 8601 */
export function Countdown({ at }: { readonly at: string }) {
  const now = useNow()
  const left = Date.parse(at) - now
  return (
    <time dateTime={at} title={timeWithZone(new Date(at))}>
      {left > 0 ? `in ${roughly(left)}` : 'any moment'}
    </time>
  )
}

/** How long something has lasted. @param since ISO 8601 */
export function Since({ since }: { readonly since: string }) {
  const now = useNow()
  return (
    <time dateTime={since} title={timeWithZone(new Date(since))}>
      {roughly(now - Date.parse(since))}
    </time>
  )
}

const isoTime = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/

/** A sentence of the gateway, the times in it local. */
export function Words({ text }: { readonly text: string }) {
  return (
    <>
      {text
        .split(isoTime)
        .map((part, index) => (index % 2 === 1 ? <Time key={`${index}`} at={part} /> : part))}
    </>
  )
}
