// How the mood went and who spoke for how long, above the conversation it was told from.
import { clockTime, percent } from '../format.ts'
import { courseInWords, moodWord } from './course.ts'
import type { Stretch, Transcript } from './types.ts'

/** The mood over time, when more is known of it than one word. */
export function MoodCourse({ transcript }: { readonly transcript: Transcript | undefined }) {
  const course = transcript?.mood?.over_time ?? []
  if (transcript === undefined || course.length < 2) return null
  const words = courseInWords(course)
  const isEven = course.every(({ score }) => moodWord(score) === 'neutral')
  const end = Math.max(transcript.talk?.length ?? 0, ...course.map((stretch) => stretch.start + 1))
  return (
    <figure class="mood-course">
      <figcaption>
        <span class="quiet">Mood of the customer:</span> {words}
      </figcaption>
      {!isEven && <MoodPlot course={course} end={end} words={words} />}
    </figure>
  )
}

type MoodPlotProps = {
  readonly course: readonly Stretch[]
  /** Of the call, in seconds. */
  readonly end: number
  readonly words: string
}

function MoodPlot({ course, end, words }: MoodPlotProps) {
  return (
    <div class="mood-plot">
      <span class="quiet" aria-hidden="true">
        good
      </span>
      <svg
        viewBox="0 0 1000 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Mood of the customer over time: ${words}`}
      >
        <path class="ground" d="M0 50H1000" />
        {course.map((stretch) => (
          <Bar key={stretch.start} stretch={stretch} end={end} />
        ))}
      </svg>
      <span class="quiet" aria-hidden="true">
        bad
      </span>
      <span class="quiet from" aria-hidden="true">
        0:00
      </span>
      <span class="quiet to" aria-hidden="true">
        {clockTime(end * 1_000)}
      </span>
    </div>
  )
}

/** What is near to neutral is still seen, of 100. */
const leastHeight = 3

function Bar({ stretch, end }: { readonly stretch: Stretch; readonly end: number }) {
  const { start, score } = stretch
  const height = Math.max(leastHeight, 48 * Math.min(1, Math.abs(score)))
  const place = (seconds: number) => (1_000 * Math.min(seconds, end)) / end
  const word = moodWord(score)
  return (
    <rect
      x={place(start) + 1}
      y={word === 'neutral' ? 50 - height / 2 : score > 0 ? 50 - height : 50}
      width={Math.max(1, place(stretch.end) - place(start) - 2)}
      height={height}
    >
      <title>{`${clockTime(start * 1_000)}: ${word}, ${score.toFixed(2)} from −1 to 1`}</title>
    </rect>
  )
}

/** Who spoke for how long, in words. */
export function TalkInWords({ transcript }: { readonly transcript: Transcript | undefined }) {
  const talk = transcript?.talk ?? null
  if (talk === null || talk.length === 0) return null
  const { customer, agent, silence, length } = talk
  const part = (name: string, seconds: number) =>
    `${name} ${clockTime(seconds * 1_000)} (${percent(seconds / length)})`
  const parts =
    customer === null || agent === null
      ? [part('somebody', length - silence)]
      : [part('customer', customer), part('agent', agent)]
  return (
    <p class="talk-words">
      <span class="quiet">Spoke:</span> {[...parts, part('nobody', silence)].join(', ')}
    </p>
  )
}
