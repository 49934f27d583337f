// Takes what nobody needs to know out of what was said in a call, before it is stored, sent or logged. Pure.
import type { RedactedPlace, RedactionFinding, RedactionModes, TrackUtterance } from './classes.ts'
import { type Found, findAll } from './find.ts'
import { type Erasure, render } from './render.ts'

/** A call that was redacted. */
export type Redacted<U> = {
  readonly utterances: readonly U[]
  readonly findings: readonly RedactionFinding[]
}

/**
 * What is taken out can bring digits together that were apart, so it is looked at again until nothing is found; only
 * a text that is made for it takes more than two looks.
 */
const mostLooks = 16

/**
 * Redacts a call. An utterance without findings is handed back as it came.
 * @param utterances of all tracks, in the order in which they were spoken; the order and all other fields are kept
 */
export function redact<U extends TrackUtterance>(
  utterances: readonly U[],
  modes: RedactionModes,
): Redacted<U> {
  const erasures: PlacedErasure[][] = utterances.map(() => [])
  const classes: Found['class'][] = []
  let renderings = utterances.map(({ text }) => render(text, []))
  for (let look = 0; look < mostLooks; look += 1) {
    const texts = utterances.map(({ track }, index) => ({
      track,
      text: renderings[index]?.text ?? '',
    }))
    const found = findAll(texts).filter((one) => modes[one.class] !== 'off')
    if (found.length === 0) break
    for (const { class: name, spans } of found) {
      const mode = modes[name]
      if (mode === 'off') continue
      const finding = classes.push(name) - 1
      for (const { utterance, start, end } of spans) {
        const originOf = renderings[utterance]?.originOf ?? ((position: number) => position)
        const original = utterances[utterance]?.text ?? ''
        const place = withParenthesis(original, originOf(start), originOf(end - 1) + 1)
        erasures[utterance]?.push({ class: name, mode, finding, ...place })
      }
    }
    renderings = utterances.map(({ text }, index) => render(text, inOrder(erasures[index])))
  }
  const places = classes.map((): RedactedPlace[] => [])
  for (const [utterance, spoken] of utterances.entries())
    for (const [index, { finding, start, end }] of inOrder(erasures[utterance]).entries()) {
      const place = renderings[utterance]?.places[index] ?? { start: 0, end: 0 }
      const timeAt = timeWithin(spoken)
      places[finding]?.push({ utterance, ...place, from: timeAt(start), to: timeAt(end) })
    }
  return {
    utterances: utterances.map((spoken, index) =>
      erasures[index]?.length === 0 ? spoken : { ...spoken, text: renderings[index]?.text ?? '' },
    ),
    findings: classes.map((name, index) => ({ class: name, places: places[index] ?? [] })),
  }
}

/** "(415" of "(415) 555" is not left open. */
function withParenthesis(text: string, start: number, end: number) {
  const isOpen = text.charAt(start - 1) === '(' && /^[^()]*\)/.test(text.slice(start, end))
  return { start: isOpen ? start - 1 : start, end }
}

type PlacedErasure = Erasure & { readonly finding: number }

function inOrder(erasures: readonly PlacedErasure[] = []): readonly PlacedErasure[] {
  return erasures.toSorted((one, other) => one.start - other.start || other.end - one.end)
}

/** Seconds at which a character was spoken, if all take the same time. */
function timeWithin({ start, end, text }: TrackUtterance): (position: number) => number {
  return (position) => start + ((end - start) * position) / Math.max(1, text.length)
}
