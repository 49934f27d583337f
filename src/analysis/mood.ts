// The mood of a call as it is kept: of the customer in the whole call, of each track, and over time. Pure.
import { speakerOf } from './conversation.ts'
import type { Mood, SpokenLine } from './service.ts'
import type { MoodOfStretch, MoodStep, StoredUtterance } from './steps.ts'

type Judge = (lines: readonly SpokenLine[]) => Mood

/** The length of a stretch of the course, in seconds. */
const stretchSeconds = 30

/**
 * Adds to the mood of a call that of each track, and its course.
 * @param judge of what one speaker said
 */
export function describeMood(
  whole: Pick<MoodStep, 'label' | 'score'>,
  spoken: readonly StoredUtterance[],
  swapped: boolean,
  judge: Judge,
): MoodStep {
  const tracks = Map.groupBy(spoken, ({ track, speaker }) => track ?? speaker ?? 'mixed')
  return {
    label: whole.label,
    score: whole.score,
    tracks: Object.fromEntries(
      [...tracks].map(([name, said]) => [name, judge(said.map(asSpokenByOne))]),
    ),
    over_time: courseOf(spoken, swapped, judge),
    swapped,
  }
}

function asSpokenByOne({ start, text }: StoredUtterance): SpokenLine {
  return { speaker: 'customer', start, text }
}

/** Of the customer, or of everybody when nobody is known to be the customer. */
function courseOf(
  spoken: readonly StoredUtterance[],
  swapped: boolean,
  judge: Judge,
): readonly MoodOfStretch[] {
  const ofCustomer = spoken.filter((said) => speakerOf(said, swapped) === 'customer')
  const heard =
    ofCustomer.length > 0
      ? ofCustomer
      : spoken.filter((said) => speakerOf(said, swapped) === undefined)
  const stretches = Map.groupBy(heard, ({ start }) => Math.floor(start / stretchSeconds))
  return [...stretches].map(([number, said]) => ({
    start: number * stretchSeconds,
    end: (number + 1) * stretchSeconds,
    score: judge(said.map(asSpokenByOne)).score,
  }))
}
