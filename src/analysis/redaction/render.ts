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

/** Redacts a text. `erasures` by their start; one that is within another shares its place. */
export function render(original: string, erasures: readonly Erasure[]): Rendering {
  const kept: { at: number; from: number; length: number }[] = []
  const places: { start: number; end: number }[] = []
  let text = ''
  let from = 0
  let end = 0
  const keep = (to: number) => {
    if (to > from) kept.push({ at: text.length, from, length: to - from })
    text += original.slice(from, Math.max(from, to))
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
      const isAfterSpace = text === '' || /\s$/u.test(text)
      if (isAfterSpace) while (/^\s$/u.test(original.charAt(from))) from += 1
      const isBeforeEnd = from >= original.length || /^[.,;:!?)\]]$/.test(original.charAt(from))
      if (isBeforeEnd) text = text.trimEnd()
    }
    const start = text.length
    if (erasure.mode === 'mask') text += `[${erasure.class}]`
    places.push({ start, end: text.length })
  }
  keep(original.length)
  return { text, places, originOf: (position) => originOf(kept, position) }
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
