// The waveform: one lane a track, lost audio hatched where it is missing, one playhead through all of them.
import { useEffect, useRef } from 'preact/hooks'
import { clockTime, milliseconds } from '../format.ts'
import type { Answer } from '../hooks.ts'
import type { Gap, Peaks, Transcript } from './types.ts'
import type { Player } from './use-player.ts'
import { causeWords, isLoss, roleWords } from './words.ts'

/** What it needs. */
export type WaveformProps = {
  /** Undefined while it is not known. */
  readonly hasAudio: boolean | undefined
  readonly peaks: Answer<Peaks>
  readonly player: Player
  readonly transcript: Transcript | undefined
}

/** The player with its waveform. */
export function Waveform({ hasAudio, peaks, player, transcript }: WaveformProps) {
  const known = peaks.value
  if (known === undefined)
    return (
      <p class="quiet no-audio">
        {hasAudio === false
          ? 'This call has no audio that can be played: its packets do not say in which format they are.'
          : (peaks.error?.message ?? 'Reading the audio…')}
      </p>
    )
  const { duration_ms: duration, tracks } = known
  return (
    <section class="player" aria-label="Recording">
      <div class="lanes">
        {tracks.map(({ track, role, peaks: each, gaps }) => (
          <div key={track} class={`lane role-${role}`}>
            <span class="lane-name">
              {roleWords[role] ?? role}
              <small>{track}</small>
            </span>
            <div class="lane-audio">
              <svg viewBox="0 0 1000 200" preserveAspectRatio="none" aria-hidden="true">
                <path d={outline(each)} />
              </svg>
              {gaps.map((gap) => (
                <GapMark
                  key={`${gap.first_sequence}-${gap.start_ms}`}
                  gap={gap}
                  duration={duration}
                />
              ))}
            </div>
          </div>
        ))}
        <Talk transcript={transcript} duration={duration} />
        <Playhead player={player} duration={duration} />
      </div>
      <Transport player={player} duration={duration} />
    </section>
  )
}

/** Loud voices reach the edge of the lane, quiet ones are still seen: the root of each peak. */
function outline(peaks: Peaks['tracks'][number]['peaks']): string {
  const step = 1_000 / Math.max(1, peaks.length)
  const y = (value: number) => 100 - 96 * Math.sign(value) * Math.sqrt(Math.abs(value))
  const upper = peaks.map(([, most], index) => `${(index * step).toFixed(1)} ${y(most).toFixed(1)}`)
  const lower = peaks
    .map(([least], index) => `${(index * step).toFixed(1)} ${(y(least) + 1).toFixed(1)}`)
    .reverse()
  return upper.length === 0 ? '' : `M${upper.join('L')}L${lower.join('L')}Z`
}

/** Shorter gaps are marked at the edge of the lane; there may be hundreds. */
const briefMs = 100

function GapMark({ gap, duration }: { readonly gap: Gap; readonly duration: number }) {
  const { start_ms: start, duration_ms: length, cause } = gap
  if (start === null || length === null) return null
  const isBrief = length < briefMs
  return (
    <span
      class={`gap${isLoss(cause) ? ' lost' : ''}${isBrief ? ' brief' : ''}`}
      title={`${milliseconds(length)} at ${clockTime(start)}: ${causeWords[cause] ?? cause}`}
      style={{ left: `${(100 * start) / duration}%`, width: `${(100 * length) / duration}%` }}
    />
  )
}

/** Who spoke when, as two thin bands. */
function Talk({
  transcript,
  duration,
}: {
  readonly transcript: Transcript | undefined
  readonly duration: number
}) {
  if (transcript === undefined || transcript.utterances.length === 0) return null
  return (
    <div class="lane talk" aria-hidden="true">
      <span class="lane-name quiet">speaks</span>
      <div class="lane-audio">
        {transcript.utterances.map(({ start, end, speaker }) => (
          <span
            key={`${speaker}-${start}`}
            class={`spoken by-${speaker ?? 'both'}`}
            style={{
              left: `${(100_000 * start) / duration}%`,
              width: `${(100_000 * Math.max(0, end - start)) / duration}%`,
            }}
          />
        ))}
      </div>
    </div>
  )
}

function Playhead({ player, duration }: { readonly player: Player; readonly duration: number }) {
  const area = useRef<HTMLDivElement>(null)
  const head = useRef<HTMLDivElement>(null)
  useEffect(
    () =>
      player.follow((seconds) => {
        if (head.current !== null)
          head.current.style.left = `${Math.min(100, (100_000 * seconds) / duration)}%`
      }),
    [player.follow, duration],
  )
  function seek(event: PointerEvent): void {
    if (area.current === null || (event.type === 'pointermove' && event.buttons === 0)) return
    const { left, width } = area.current.getBoundingClientRect()
    player.seek((((event.clientX - left) / width) * duration) / 1_000)
  }
  return (
    <div
      ref={area}
      class="playhead-area"
      aria-hidden="true"
      onPointerDown={seek}
      onPointerMove={seek}
    >
      <div ref={head} class="playhead" />
    </div>
  )
}

function Transport({ player, duration }: { readonly player: Player; readonly duration: number }) {
  const slider = useRef<HTMLInputElement>(null)
  const clock = useRef<HTMLTimeElement>(null)
  useEffect(
    () =>
      player.follow((seconds) => {
        if (slider.current === null || clock.current === null) return
        slider.current.value = seconds.toFixed(1)
        slider.current.setAttribute('aria-valuetext', clockTime(seconds * 1_000))
        const text = clockTime(seconds * 1_000)
        if (clock.current.textContent !== text) clock.current.textContent = text
      }),
    [player.follow],
  )
  return (
    <div class="transport">
      <button
        type="button"
        onClick={player.toggle}
        aria-label={player.isPlaying ? 'Pause' : 'Play'}
      >
        <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
          <path
            d={player.isPlaying ? 'M2 1h3v10H2zM7 1h3v10H7z' : 'M2 .8 11 6 2 11.2z'}
            fill="currentColor"
          />
        </svg>
      </button>
      <time ref={clock} class="now">
        0:00
      </time>
      <input
        ref={slider}
        type="range"
        min="0"
        max={(duration / 1_000).toFixed(1)}
        step="0.1"
        aria-label="Position in the recording"
        onInput={(event) => player.seek(Number(event.currentTarget.value))}
      />
      <span class="quiet">{clockTime(duration)}</span>
      {player.error !== '' && (
        <span class="trouble" role="alert">
          {player.error}
        </span>
      )}
    </div>
  )
}
