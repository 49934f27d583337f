// Numbers, times and ids as a person reads them: with units, in local time, of a steady width.

/** 3:05, or 1:02:05. @param ms milliseconds */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`
}

/** 12 s, 4 min, 3 h, 2 d: the size of a wait. @param ms milliseconds */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** 1,204 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** 0.4 %, 12 %; never 0 % of something that is there. @param share 0 to 1 */
export function percent(share: number): string {
  if (share === 0) return '0 %'
  if (share < 0.001) return '<0.1 %'
  return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`
}

/** 4 ms, 0.4 ms, 1.3 s; – when it is not known. @param ms milliseconds */
export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms > 0 && ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

/** 210 MB */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3))
  const value = count / 1_000 ** step
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${units[step]}`
}

/** A long id, shortened in the middle. */
export function shortId(id: string, longest = 22): string {
  const half = Math.floor(longest / 2)
  return id.length <= longest ? id : `${id.slice(0, half)}…${id.slice(1 - half)}`
}

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' })
const withZone = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** The local time of today, day and time of other days. */
export function localTime(date: Date, now: Date): string {
  return date.toDateString() === now.toDateString()
    ? timeFormat.format(date)
    : dayAndTime.format(date)
}

/** The whole local time with its zone, and UTC. */
export function timeWithZone(date: Date): string {
  return `${withZone.format(date)} (${date.toISOString()})`
}
