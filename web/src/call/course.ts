// The course of a mood in words, for those who cannot see its plot. Pure.
import { clockTime } from '../format.ts'
import type { Stretch } from './types.ts'

/** A score nearer to 0 is neither good nor bad. */
const neutralUpTo = 0.05

/** A score, -1 to 1, as a word. */
export function moodWord(score: number): 'good' | 'neutral' | 'bad' {
  if (Math.abs(score) <= neutralUpTo) return 'neutral'
  return score > 0 ? 'good' : 'bad'
}

/** How a mood went: how it began and ended, when it was worst and best. @param course at least one stretch */
export function courseInWords(course: readonly Stretch[]): string {
  const words = course.map(({ score }) => moodWord(score))
  const [first, last] = [words.at(0), words.at(-1)]
  if (words.every((word) => word === first)) return `${first} throughout`
  const inOrder = course.toSorted((one, other) => one.score - other.score)
  const at = (stretch: Stretch | undefined) => clockTime((stretch?.start ?? 0) * 1_000)
  const ends =
    first === last ? `${first} at first and at the end` : `${first} at first, ${last} at the end`
  return `${ends}; worst at ${at(inOrder.at(0))}, best at ${at(inOrder.at(-1))}`
}
