// The conversation: customer and agent on their own sides of a line of time, lost audio hatched between them. A click
// on a line plays it; while it plays, the line that is spoken is marked.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { clockTime } from '../format.ts'
import type { Answer } from '../hooks.ts'
import { Words } from '../parts/time.tsx'
import { type Line, lineAt, linesOf, splitBy } from './lines.ts'
import { MoodCourse, TalkInWords } from './mood-course.tsx'
import type { CallDetail, Transcript } from './types.ts'
import type { Player } from './use-player.ts'
import { roleWords } from './words.ts'

/** What it needs. */
export type ConversationProps = {
  readonly call: CallDetail
  readonly transcript: Answer<Transcript>
  readonly player: Player
  /** Why there is no transcript, in words. */
  readonly why: string | null | undefined
}

/** The conversation. */
export function Conversation({ call, transcript, player, why }: ConversationProps) {
  const [search, setSearch] = useState('')
  const lines = useMemo(() => linesOf(transcript.value, call), [transcript.value, call])
  const current = useCurrentLine(lines, player)
  const list = useRef<HTMLOListElement>(null)
  const found = lines.filter((line) => line.kind === 'said' && isFound(line.text, search)).length

  useEffect(() => {
    if (current >= 0) list.current?.children[current]?.scrollIntoView({ block: 'nearest' })
  }, [current])

  if (lines.length === 0)
    return (
      <section class="conversation" aria-label="Conversation">
        <h3>Conversation</h3>
        <p class="quiet">
          <Words text={why ?? 'No word of this call is known.'} />
        </p>
      </section>
    )
  return (
    <section class="conversation" aria-label="Conversation">
      <div class="section-head">
        <h3>Conversation</h3>
        <input
          type="search"
          placeholder="find"
          aria-label="Find in the conversation"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <span class="quiet" role="status">
          {search === '' ? '' : `${found} of ${lines.length} lines`}
        </span>
      </div>
      <TalkInWords transcript={transcript.value} />
      <MoodCourse transcript={transcript.value} />
      <ol ref={list} class="lines">
        {lines.map((line, index) => (
          <li
            key={`${index}-${line.start}`}
            class={lineClass(line)}
            aria-current={index === current ? 'true' : undefined}
          >
            {line.kind === 'said' ? (
              <Said line={line} search={search} player={player} />
            ) : (
              <Lost line={line} player={player} />
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}

function lineClass(line: Line): string {
  return line.kind === 'lost' ? 'lost' : `by-${line.speaker ?? 'nobody'}`
}

type Of<Kind> = { readonly line: Extract<Line, { kind: Kind }>; readonly player: Player }

function Said({ line, search, player }: Of<'said'> & { readonly search: string }) {
  const { speaker, start, text } = line
  const words = (
    <span class="words">
      {splitBy(text, search).map((part, index) =>
        index % 2 === 1 ? <mark key={`${index}`}>{part}</mark> : part,
      )}
    </span>
  )
  const name = speaker === null ? '' : roleWords[speaker]
  if (start === null)
    return (
      <div class="line">
        {name !== '' && <span class="speaker">{name}</span>}
        {words}
      </div>
    )
  return (
    <button
      type="button"
      class="line"
      onClick={() => player.playFrom(start)}
      title="Play from here"
    >
      <span class="speaker">{name}</span>
      <span class="at">{clockTime(start * 1_000)}</span>
      {words}
    </button>
  )
}

function Lost({ line: { start, end, track }, player }: Of<'lost'>) {
  return (
    <button type="button" class="line" onClick={() => player.playFrom(Math.max(0, start - 2))}>
      <span class="at">{clockTime(start * 1_000)}</span>
      <span class="words">{`${(end - start).toFixed(1)} s of audio lost on ${track}`}</span>
    </button>
  )
}

function isFound(text: string, search: string): boolean {
  return search !== '' && text.toLowerCase().includes(search.toLowerCase())
}

/** Drawn anew only when another line is spoken. */
function useCurrentLine(lines: readonly Line[], player: Player): number {
  const [current, setCurrent] = useState(-1)
  useEffect(
    () => player.follow((seconds) => setCurrent(seconds === 0 ? -1 : lineAt(lines, seconds))),
    [lines, player.follow],
  )
  return current
}
