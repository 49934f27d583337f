// Reads the files of examples, and counts what a redactor finds of them.
import { readFileSync } from 'node:fs'
import {
  type RedactionClass,
  redactionClasses,
  sameMode,
} from '../../../src/analysis/redaction/classes.ts'
import { redact } from '../../../src/analysis/redaction/redact.ts'

type Marked = { readonly class: RedactionClass; readonly start: number; readonly end: number }
type Said = { start: number; end: number; track: string; text: string; marked: readonly Marked[] }

/** A line of a file of examples: a piece of a call, and what must be redacted in it. */
export type Example = { readonly line: string; readonly utterances: readonly Said[] }

/** What was found of a class: places, not things. */
export type Score = { right: number; missed: number; wrong: number }

export type Scores = { readonly byClass: Record<RedactionClass, Score>; readonly faults: string[] }

export function readExamples(name: string): Example[] {
  const lines = readFileSync(new URL(`examples/${name}`, import.meta.url), 'utf8').split('\n')
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ line, utterances: line.split(' | ').map(readUtterance) }))
}

function readUtterance(said: string, index: number): Said {
  const [, speaker = 'C', marks = ''] = /^(?:([AC]): )?(.*)$/s.exec(said) ?? []
  const marked: Marked[] = []
  let text = ''
  for (const [piece, name, value] of marks.matchAll(/\{(\w+):([^}]*)\}|[^{]+/g)) {
    const found = redactionClasses.find((one) => one === name)
    if (found !== undefined)
      marked.push({ class: found, start: text.length, end: text.length + (value ?? '').length })
    text += value ?? piece
  }
  const track = speaker === 'A' ? 'outbound' : 'inbound'
  return { start: index * 4, end: index * 4 + 3, track, text, marked }
}

/** A marked stretch counts as found if all of it is redacted as what it is; all else that is redacted is wrong. */
export function score(examples: readonly Example[]): Scores {
  const byClass = Object.fromEntries(
    redactionClasses.map((name) => [name, { right: 0, missed: 0, wrong: 0 }]),
  ) as Record<RedactionClass, Score>
  const faults: string[] = []
  for (const { line, utterances } of examples) {
    const { findings, utterances: redacted } = redact(utterances, sameMode('mask'))
    const places = findings.flatMap(({ class: name, places: all }) =>
      all.map((place) => {
        const said = utterances[place.utterance]
        const share = (said?.text.length ?? 0) / 3
        const start = Math.round((place.from - (said?.start ?? 0)) * share)
        const end = Math.round((place.to - (said?.start ?? 0)) * share)
        return { class: name, utterance: place.utterance, start, end }
      }),
    )
    let isFault = false
    for (const [utterance, { marked }] of utterances.entries()) {
      const here = places.filter((place) => place.utterance === utterance)
      for (const mark of marked) {
        const hit = here.some(
          (place) =>
            place.class === mark.class && place.start <= mark.start && place.end >= mark.end,
        )
        byClass[mark.class][hit ? 'right' : 'missed'] += 1
        isFault ||= !hit
      }
      for (const place of here) {
        const isRight = marked.some(
          (mark) => mark.class === place.class && mark.start < place.end && place.start < mark.end,
        )
        if (!isRight) byClass[place.class].wrong += 1
        isFault ||= !isRight
      }
    }
    if (isFault) faults.push(`${line}\n    ${redacted.map(({ text }) => text).join(' | ')}`)
  }
  return { byClass, faults }
}

/** 1 if there was nothing to find. */
export function recall({ right, missed }: Score): number {
  return right + missed === 0 ? 1 : right / (right + missed)
}

/** 1 if nothing was found. */
export function precision({ right, wrong }: Score): number {
  return right + wrong === 0 ? 1 : right / (right + wrong)
}
