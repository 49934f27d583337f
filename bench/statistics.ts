// Medians, percentiles, and a histogram that several processes can fill. Pure.

/** The middle value; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return medianBy(values, (value) => value)
}

/** The item whose key is the middle one. */
export function medianBy<T>(items: readonly T[], key: (item: T) => number): T {
  const middle = items.toSorted((a, b) => key(a) - key(b))[items.length >>> 1]
  if (middle === undefined) throw new RangeError('nothing was measured')
  return middle
}

/** The smallest value that at least the share (0 to 1) of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** What a histogram holds, as it travels between processes: pairs of a bucket and its count. */
export type HistogramCounts = readonly (readonly [bucket: number, count: number])[]

const growth = Math.log(1.01)
const buckets = 2_100

/** Counts times from 1 µs to 20 minutes, each within 1 %. */
export class Histogram {
  readonly #counts = new Float64Array(buckets)
  #total = 0

  /** Records a time in milliseconds. */
  record(milliseconds: number): void {
    const bucket = Math.floor(Math.log(Math.max(1, milliseconds * 1_000)) / growth)
    const place = Math.min(bucket, buckets - 1)
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
    this.#total += 1
  }

  add(counts: HistogramCounts): void {
    for (const [bucket, times] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times
      this.#total += times
    }
  }

  get total(): number {
    return this.#total
  }

  /** In milliseconds; not a number when nothing was recorded. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.#total))
    for (const [bucket, times] of this.#counts.entries()) {
      left -= times
      if (left <= 0 && this.#total > 0) return Math.exp((bucket + 0.5) * growth) / 1_000
    }
    return Number.NaN
  }

  counts(): HistogramCounts {
    return [...this.#counts.entries()].filter(([, times]) => times > 0)
  }
}

/** The histogram of several. */
export function mergeHistograms(all: Iterable<HistogramCounts>): Histogram {
  const merged = new Histogram()
  for (const counts of all) merged.add(counts)
  return merged
}

/** The slope of a straight line through the points (least squares). */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
