// Small figures: a line of the last minute, a mood on its scale or over the call, who spoke for how long.
import { percent } from '../format.ts'
import type { FloorCall } from '../state/types.ts'

const [width, height] = [72, 16]

/** The course of a figure, without a scale; beside it stands the number. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const most = Math.max(1e-9, ...values)
  const step = width / 59
  const first = width - (values.length - 1) * step
  const points = values
    .map((value, index) => {
      const y = height - 1.5 - (height - 3) * (value / most)
      return `${(first + index * step).toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path class="ground" d={`M0 ${height - 0.5}H${width}`} />
      <polyline points={points} />
    </svg>
  )
}

const moodWords = { positive: 'good', neutral: 'neutral', negative: 'bad', mixed: 'mixed' } as const
const usualScores = { positive: 0.6, neutral: 0, negative: -0.6, mixed: 0 } as const

/** A mood: a word, and its place between bad and good; its course instead, where that is known. */
export function Mood(props: Pick<FloorCall, 'mood' | 'mood_score' | 'mood_trend'>) {
  const { mood, mood_score: score, mood_trend: trend } = props
  if (mood === null) return <span class="quiet">–</span>
  const hasCourse = trend !== null && trend.length > 1
  const title = [
    score === null ? mood : `${mood}, ${score.toFixed(2)} from −1 to 1`,
    ...(hasCourse ? [`over the call: ${trend.map((part) => part.toFixed(1)).join(', ')}`] : []),
  ]
  return (
    <span class="mood" title={title.join('; ')}>
      <svg viewBox="0 0 40 16" aria-hidden="true">
        {hasCourse ? <Course trend={trend} /> : <Place mood={mood} score={score} />}
      </svg>
      <span class="mood-word">{moodWords[mood]}</span>
    </span>
  )
}

function Place(props: {
  readonly mood: NonNullable<FloorCall['mood']>
  readonly score: number | null
}) {
  const { mood, score } = props
  const place = 20 + 16 * Math.max(-1, Math.min(1, score ?? usualScores[mood]))
  return (
    <>
      <path class="scale" d="M4 8h32M20 5v6" />
      {mood === 'mixed' ? (
        <path class="point" d="M10 4.5v7M30 4.5v7" />
      ) : (
        <path class="point" d={`M20 8H${place}M${place} 4.5v7`} />
      )}
    </>
  )
}

/** A column for each part: up is good, down is bad, and little is still seen. */
function Course({ trend }: { readonly trend: readonly number[] }) {
  const step = 36 / trend.length
  return (
    <>
      <path class="scale" d="M2 8h36" />
      {trend.map((score, index) => {
        const height = Math.max(1, 8 * Math.sqrt(Math.min(1, Math.abs(score))))
        return (
          <rect
            key={`${index}`}
            class="part"
            x={2 + index * step}
            y={score > 0 ? 8 - height : 8}
            width={Math.max(1, step - 1)}
            height={height}
          />
        )
      })}
    </>
  )
}

/** Who spoke for how long: customer dark, agent grey, silence empty; beside it the share of silence. */
export function TalkShare({ talk }: Pick<FloorCall, 'talk'>) {
  if (talk === null || talk.length_ms === 0)
    return (
      <span class="quiet" title="Known when there is a transcript">
        –
      </span>
    )
  const { customer_ms: customer, agent_ms: agent, silence_ms: silence, length_ms: length } = talk
  const someone = length - silence
  const both = (customer ?? 0) + (agent ?? 0)
  const scale = (40 * someone) / length / Math.max(1, customer === null ? someone : both)
  const ofCustomer = (customer ?? 0) * scale
  const ofOthers = (agent ?? someone) * scale
  const parts =
    customer === null || agent === null
      ? [`somebody speaks ${percent(someone / length)}`]
      : [`customer ${percent(customer / length)}`, `agent ${percent(agent / length)}`]
  return (
    <span class="talk-share" title={[...parts, `silence ${percent(silence / length)}`].join(', ')}>
      <svg viewBox="0 0 40 16" aria-hidden="true">
        <rect class="frame" x=".5" y="4.5" width="39" height="7" />
        <rect class="customer" y="4" width={ofCustomer} height="8" />
        <rect class="agent" x={ofCustomer} y="4" width={ofOthers} height="8" />
      </svg>
      <span class="unseen">{`${parts.join(', ')}, silence `}</span>
      <span class="talk-silence">{percent(silence / length)}</span>
    </span>
  )
}
