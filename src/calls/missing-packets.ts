// How missing packets are written: from PostgreSQL's multirange to what clients of the call API read. Pure.

/** The numbers from `first` up to, not including, `end`. */
export type SequenceRange = { readonly first: number; readonly end: number }

const longestListed = 10

/**
 * Writes ranges as clients of the call API read them: numbers with commas between; a range of more than ten
 * numbers as `5-1000000`.
 */
export function describeRanges(ranges: Iterable<SequenceRange>): string {
  const parts: string[] = []
  for (const { first, end } of ranges) {
    if (end - first > longestListed) parts.push(`${first}-${end - 1}`)
    else for (let sequence = first; sequence < end; sequence += 1) parts.push(String(sequence))
  }
  return parts.join(',')
}

/**
 * Reads PostgreSQL's text of an int8multirange, as in `{[1,4),[7,8)}`.
 * @see https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO
 */
export function parseMultirange(text: string): SequenceRange[] {
  return Array.from(text.matchAll(/\[(\d+),(\d+)\)/g), ([, first, end]) => ({
    first: Number(first),
    end: Number(end),
  }))
}
