// How long commits took, as counts that can be added up over processes and time. Pure.

const steps = 80
const [firstMs, stepsPerDoubling] = [0.25, 4]

/** Counts by length: the n-th, from 0, of up to 0.25 · 2^(n/4) ms, about 19 % more than the one before. */
export type Histogram = readonly number[]

/** Counts of nothing. */
export function emptyHistogram(): number[] {
  return new Array<number>(steps).fill(0)
}

/** Where a length, in milliseconds, is counted. */
export function stepOf(milliseconds: number): number {
  const step = Math.ceil(stepsPerDoubling * Math.log2(Math.max(milliseconds, firstMs) / firstMs))
  return Math.min(step, steps - 1)
}

/** Adds up. */
export function addHistograms(all: readonly Histogram[]): number[] {
  const sum = emptyHistogram()
  for (const counts of all)
    for (const [step, count] of counts.entries()) sum[step] = (sum[step] ?? 0) + count
  return sum
}

/** A percentile in milliseconds, rounded up to the end of its step and to 10 µs; 0 of nothing. */
export function percentileOf(counts: Histogram, share: number): number {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return 0
  let before = 0
  const step = counts.findIndex((count) => {
    before += count
    return before >= all * share
  })
  return Math.round(firstMs * 2 ** (step / stepsPerDoubling) * 100) / 100
}
