// What a service heard, made true to what was sent: in order of time, within the audio, clean text. Pure.
import type { Utterance } from '../service.ts'
import { cleanText } from './answer-text.ts'

/** More than anybody says in one breath. */
const longestText = 10_000

/**
 * Utterances as they are kept: without empty ones, sorted by their start, times within 0 to `seconds`, confidence
 * within 0 to 1.
 */
export function asUtterances(heard: readonly Utterance[], seconds: number): readonly Utterance[] {
  return heard
    .map(({ start, end, text, confidence }) => {
      const from = Math.min(Math.max(start, 0), seconds)
      return {
        start: from,
        end: Math.min(Math.max(end, from), seconds),
        text: cleanText(text, longestText),
        confidence: confidence === null ? null : Math.min(Math.max(confidence, 0), 1),
      }
    })
    .filter(({ text }) => text !== '')
    .toSorted((one, other) => one.start - other.start)
}
