// Figures as people read them.

/** A whole number with thousands told apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Milliseconds, with more digits the fewer they are. */
export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

/** Microseconds of processor time for each of so many. */
export function microsecondsEach(cpuSeconds: number, many: number): string {
  const each = (cpuSeconds * 1e6) / many
  return `${each.toFixed(each < 10 ? 2 : 0)} µs`
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Short, for an axis: 2.5k, 10M. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${trim(value / 1e6)}M`
  if (size >= 1e4) return `${trim(value / 1e3)}k`
  return trim(value)
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)))
}
