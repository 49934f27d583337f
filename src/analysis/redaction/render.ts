// Writes a text without what was found in it, and knows where every piece of it came from and went to.
import type { RedactionClass, RedactionMode } from './classes.ts'

/** A stretch of the original text that is redacted, in UTF-16 units. */
export type Erasure = {
  readonly class: RedactionClass
  readonly mode: Exclude<RedactionMode, 'off'>
  readonly start: number
  readonly end: number
}

/** A redacted text. */
export type Rendering = {
  readonly text: string
  /** From where to where in it each erasure is, in their order; empty if it was removed. */
  readonly places: readonly { readonly start: number; readonly end: number }[]
  /** The position in the original text of a position in this one that is not in a placeholder. */
  readonly originOf: (position: number) => number
}

/** Redacts a text, in linear time. `erasures` by their start; one that is within another shares its place. */
export function render(original: string, erasures: readonly Erasure[]): Rendering {
  const kept: { at: number; from: number }[] = []
  const places: { start: number; end: number }[] = []
  const parts: string[] = []
  let length = 0
  let from = 0
  let end = 0
  const add = (part: string) => {
    if (part !== '') parts.push(part)
    length += part.length
  }
  const keep = (to: number) => {
    if (to > from) kept.push({ at: length, from })
    add(original.slice(from, Math.max(from, to)))
  }
  const trim = () => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      length -= part.length
      add(part.trimEnd())
      if (part.trim() !== '') break
    }
    for (let back = places.length - 1; (places[back]?.start ?? 0) > length; back -= 1)
      places[back] = { start: length, end: length }
  }
  for (const erasure of erasures) {
    const around = places.at(-1)
    if (erasure.start < end && around !== undefined) {
      places.push(around)
      end = Math.max(end, erasure.end)
      from = Math.max(from, end)
      continue
    }
    keep(erasure.start)
    from = end = erasure.end
    if (erasure.mode === 'remove') {
      const isAfterSpace = length === 0 || /\s/u.test(parts.at(-1)?.at(-1) ?? '')
      if (isAfterSpace) while (/^\s$/u.test(original.charAt(from))) from += 1
      if (/^[.,;:!?)\]]?$/.test(original.charAt(from))) trim()
    }
    const start = length
    add(erasure.mode === 'mask' ? `[${erasure.class}]` : '')
    places.push({ start, end: length })
  }
  keep(original.length)
  return { text: parts.join(''), places, originOf: (position) => originOf(kept, position) }
}

function originOf(
  kept: readonly { readonly at: number; readonly from: number }[],
  position: number,
): number {
  let low = 0
  let high = kept.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((kept[middle]?.at ?? 0) <= position) low = middle
    else high = middle
  }
  const piece = kept[low]
  return piece === undefined ? 0 : piece.from + position - piece.at
}
