// From values to pixels along an axis, and where its ticks stand. Pure.
import type { Axis } from './section.ts'

/** A drawn axis. */
export type Scale = {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/**
 * Fits values into the pixels from `start` to `end`.
 * @param fromZero whether a linear axis begins at 0 (where values are compared by height)
 */
export function fitScale(
  axis: Axis,
  values: readonly number[],
  start: number,
  end: number,
  fromZero: boolean,
): Scale {
  const known = values.filter(Number.isFinite)
  if (axis.scale === 'log') return fitLog(known, start, end)
  const low = fromZero ? 0 : Math.min(...known)
  const high = Math.max(...known, low + Number.EPSILON)
  const step = niceStep((high - low) / 5)
  const first = fromZero ? 0 : Math.ceil(low / step) * step
  const top = fromZero ? Math.ceil(high / step) * step : high
  const ticks: number[] = []
  for (let place = 0; first + place * step <= top + step / 1e6; place += 1)
    ticks.push(Number((first + place * step).toPrecision(12)))
  const span = top - low || 1
  return { at: (value) => start + ((value - low) / span) * (end - start), ticks }
}

function fitLog(values: readonly number[], start: number, end: number): Scale {
  const positive = values.filter((value) => value > 0)
  const lowest = Math.min(...positive, Number.MAX_VALUE)
  const highest = Math.max(...positive, Number.MIN_VALUE)
  const stops = positive.length === 0 ? [1, 10] : stopsBetween(lowest, highest)
  const low = Math.log10(stops[0] ?? 1)
  const span = Math.log10(stops.at(-1) ?? 10) - low || 1
  return {
    at: (value) => start + ((Math.log10(Math.max(value, 10 ** low)) - low) / span) * (end - start),
    ticks: stops,
  }
}

/** Whole decades, or 1-2-5 when there are few of them; the outermost enclose the values. */
function stopsBetween(lowest: number, highest: number): number[] {
  const wide = Math.log10(highest / lowest) > 2.5
  const stops: number[] = []
  for (
    let power = Math.floor(Math.log10(lowest));
    power <= Math.ceil(Math.log10(highest));
    power += 1
  )
    for (const digit of wide ? [1] : [1, 2, 5])
      stops.push(Number((digit * 10 ** power).toPrecision(3)))
  const first = stops.findLastIndex((stop) => stop <= lowest * 1.000001)
  const last = stops.findIndex((stop) => stop >= highest * 0.999999)
  return stops.slice(Math.max(0, first), (last === -1 ? stops.length : last) + 1)
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const digit = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10
  return digit * power
}
