// The mood of a call as it is kept and seen: of the customer in the whole call, of each track, and over time. Pure.
import { speakerOf } from './conversation.ts'
import type { Mood, SpokenLine } from './service.ts'
import type { MoodOfStretch, MoodStep, StoredUtterance } from './steps.ts'

type Judge = (lines: readonly SpokenLine[]) => Mood

/** The length of a stretch of the course, in seconds. */
const stretchSeconds = 10

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

/**
 * The mood with the roles as they are now. Of who was not taken for the customer there is no course; where nobody can
 * tell the speakers apart, nothing changes.
 */
export function moodAsSeen(
  mood: MoodStep,
  swapped: boolean,
): Pick<MoodStep, 'label' | 'score' | 'tracks' | 'over_time'> {
  const { label, score, tracks, over_time } = mood
  const names = ['inbound', 'outbound', 'customer', 'agent']
  if (mood.swapped === swapped || !names.some((name) => Object.hasOwn(tracks, name)))
    return { label, score, tracks, over_time }
  const customer = swapped ? (tracks.outbound ?? tracks.agent) : (tracks.inbound ?? tracks.customer)
  return { ...(customer ?? { label: 'neutral', score: 0 }), tracks, over_time: [] }
}
