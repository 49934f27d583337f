// What of the audio was lost, with the evidence: which packets, how long, where; a click plays the place.
import { clockTime, milliseconds, whole } from '../format.ts'
import { Part } from './aside.tsx'
import type { Gap, Quality } from './types.ts'
import type { Player } from './use-player.ts'
import { causeWords, gradeWords, isLoss, roleWords } from './words.ts'

const mostGaps = 100

/** The account. */
export function LossAccount({
  quality,
  player,
}: {
  readonly quality: Quality | undefined
  readonly player: Player
}) {
  if (quality === undefined) return null
  const { grade, lost_ms, duration_ms, tracks } = quality
  const missing = tracks.reduce((sum, track) => sum + track.missing_count, 0)
  return (
    <Part title="Audio">
      <p>
        {grade !== null && (
          <span class={`grade grade-${grade}`} title={gradeWords[grade] ?? ''}>
            {grade}
          </span>
        )}{' '}
        {missing === 0 && (lost_ms ?? 0) === 0
          ? 'Nothing was lost.'
          : `${whole(missing)} packets missing${
              lost_ms === null ? '' : `, ${milliseconds(lost_ms)} of ${clockTime(duration_ms ?? 0)}`
            }.`}
      </p>
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Track</th>
            <th scope="col">received</th>
            <th scope="col">missing</th>
            <th scope="col">late</th>
            <th scope="col">twice</th>
          </tr>
        </thead>
        <tbody>
          {tracks.map((track) => (
            <tr key={track.track}>
              <th scope="row">{roleWords[track.role] ?? track.track}</th>
              <td>{whole(track.received)}</td>
              <td title={track.missing_packets}>{whole(track.missing_count)}</td>
              <td>{whole(track.late)}</td>
              <td>{whole(track.duplicate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {tracks.map(({ track, gaps, gaps_total: total }) =>
        gaps.length === 0 ? null : (
          <details key={track}>
            <summary>{`${whole(total)} ${total === 1 ? 'gap' : 'gaps'} on ${track}`}</summary>
            <ul class="gaps">
              {gaps.slice(-mostGaps).map((gap) => (
                <li key={`${gap.first_sequence}-${gap.start_ms}`}>
                  <GapLine gap={gap} player={player} />
                </li>
              ))}
            </ul>
          </details>
        ),
      )}
    </Part>
  )
}

function GapLine({ gap, player }: { readonly gap: Gap; readonly player: Player }) {
  const { start_ms: start, duration_ms: length, first_sequence, last_sequence, packets } = gap
  const which =
    packets === 0
      ? ''
      : packets === 1
        ? `packet ${whole(first_sequence)}`
        : `packets ${whole(first_sequence)}–${whole(last_sequence)}`
  const text = [
    which,
    milliseconds(length),
    `${causeWords[gap.cause] ?? gap.cause}${isLoss(gap.cause) ? '' : ' (no loss)'}`,
  ].filter(Boolean)
  if (start === null) return <span>{text.join(', ')}</span>
  return (
    <button
      type="button"
      class="plain"
      onClick={() => player.playFrom(Math.max(0, start / 1_000 - 1))}
    >
      <span class="quiet">{clockTime(start)}</span> {text.join(', ')}
    </button>
  )
}
