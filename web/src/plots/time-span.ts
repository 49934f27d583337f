// The axis of time that all plots of a view share: the last hour, or as much of it as is known.

const [shortest, longest] = [180, 3_600]

/** From when until when, in seconds since 1970. @param times of what is shown, ascending */
export function timeSpan(
  times: readonly number[],
  now = Date.now() / 1_000,
): readonly [from: number, to: number] {
  const end = Math.max(now, times.at(-1) ?? 0)
  const known = end - (times[0] ?? end)
  return [end - Math.max(shortest, Math.min(longest, known)), end]
}
