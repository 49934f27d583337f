// Small figures: a line of the last minute, a mood on its scale.
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

/** A mood: a word, and its place between bad and good. */
export function Mood({ mood, mood_score: score }: Pick<FloorCall, 'mood' | 'mood_score'>) {
  if (mood === null) return <span class="quiet">–</span>
  const place = 20 + 16 * Math.max(-1, Math.min(1, score ?? usualScores[mood]))
  return (
    <span class="mood" title={score === null ? mood : `${mood}, ${score.toFixed(2)} from −1 to 1`}>
      <svg viewBox="0 0 40 12" aria-hidden="true">
        <path class="scale" d="M4 6h32M20 3v6" />
        {mood === 'mixed' ? (
          <path class="point" d="M10 2.5v7M30 2.5v7" />
        ) : (
          <path class="point" d={`M20 6H${place}M${place} 2.5v7`} />
        )}
      </svg>
      {moodWords[mood]}
    </span>
  )
}
