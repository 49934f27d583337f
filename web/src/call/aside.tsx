// The narrow column: the state and what happens next, the summary, what was lost, who and where, everything that
// happened, and what a supervisor may do.
import type { ComponentChildren } from 'preact'
import { clockTime, shortId, whole } from '../format.ts'
import { useDesk } from '../hooks.ts'
import { Mood } from '../parts/figures.tsx'
import { Mark } from '../parts/mark.tsx'
import { Countdown, Time, Words } from '../parts/time.tsx'
import { type CallState, meanings } from '../state/call-state.ts'
import type { FloorCall } from '../state/types.ts'
import { Actions } from './actions.tsx'
import { LossAccount } from './loss-account.tsx'
import type { CallDetail, Quality, Timeline } from './types.ts'
import type { Player } from './use-player.ts'

/** What it needs. */
export type AsideProps = {
  readonly call: CallDetail
  /** The call as the floor has it; undefined when it has left the floor. */
  readonly floorCall: FloorCall | undefined
  readonly state: CallState
  readonly quality: Quality | undefined
  readonly timeline: Timeline | undefined
  /** Whether what stands in the column is all known, or known to fail. */
  readonly isRead: boolean
  readonly player: Player
  readonly onDone: () => void
}

/** The column. */
export function Aside(props: AsideProps) {
  const { call, floorCall, state, quality, timeline, isRead, player, onDone } = props
  return (
    <aside aria-label="About the call">
      <section class="state-now">
        <h3 class={`state-${state}`}>
          <Mark state={state} /> {state}
          <code title="The state as the API names it">{call.status}</code>
        </h3>
        <p>
          <Words text={timeline?.why ?? meanings[state]} />
        </p>
        {floorCall?.next_attempt_at != null && state === 'failing' && (
          <p>
            Next try <Countdown at={floorCall.next_attempt_at} />
          </p>
        )}
      </section>
      <Part title="Summary">
        <p class="summary">{call.summary ?? <NoSummary call={call} />}</p>
        {call.sentiment !== null && (
          <p>
            <Mood
              mood={call.sentiment}
              mood_score={floorCall?.mood_score ?? null}
              mood_trend={null}
            />
          </p>
        )}
      </Part>
      <LossAccount quality={quality} player={player} />
      <Part title="Who and where">
        <Particulars call={call} floorCall={floorCall} quality={quality} timeline={timeline} />
      </Part>
      {/* Not before what is above stands still: another button would be under the pointer. */}
      {isRead && <Actions call={call} onDone={onDone} />}
      <Part title="Timeline">
        <Events timeline={timeline} />
      </Part>
    </aside>
  )
}

/** A part of the column, with its title. */
export function Part(props: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h3>{props.title}</h3>
      {props.children}
    </section>
  )
}

function NoSummary({ call }: { readonly call: CallDetail }) {
  return (
    <span class="quiet">
      {call.tracks_swapped && call.ai_processed_at !== null
        ? 'Not shown: it was made with the roles as they were.'
        : call.ai_processed_at === null
          ? 'There is none before the call is analysed.'
          : 'The AI wrote none.'}
    </span>
  )
}

type ParticularsProps = Pick<AsideProps, 'call' | 'floorCall' | 'quality' | 'timeline'>

function Particulars({ call, floorCall, quality, timeline }: ParticularsProps) {
  const gateway = useDesk((state) => state.gateway)
  const { from = null, to = null, source } = floorCall ?? {}
  const formats = quality?.tracks.flatMap(({ track, encoding, rate }) =>
    encoding === null ? [] : [`${track} ${encoding} ${rate === null ? '' : `${whole(rate)} Hz`}`],
  )
  const pairs: readonly (readonly [term: string, said: ComponentChildren])[] = [
    ['From', from],
    ['To', to],
    ['Source', source],
    ['Began', <Time key="began" at={call.created_at} />],
    ['Over', call.completed_at === null ? null : <Time key="over" at={call.completed_at} />],
    ['Lasted', quality?.duration_ms == null ? null : clockTime(quality.duration_ms)],
    ['Audio', formats?.join(', ') || null],
    ['Roles', call.tracks_swapped ? 'exchanged by a supervisor' : null],
    ['Attempts', call.ai_processing_attempts || null],
    ['Read from', gateway === '' ? null : gateway],
    ...metadataOf(timeline),
  ]
  return (
    <dl class="pairs">
      {pairs.map(([term, said]) =>
        said === null || said === undefined ? null : (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{said}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

const mostMetadata = 12

/** What the PBX said of the call when its streams began. */
function metadataOf(timeline: Timeline | undefined): readonly (readonly [string, string])[] {
  const said = new Map<string, string>()
  for (const { data } of timeline?.entries ?? [])
    if (data.event === 'stream_started' && typeof data.metadata === 'object')
      for (const [name, value] of Object.entries(data.metadata ?? {}))
        if (hasContent(value) && name !== 'from' && name !== 'to')
          said.set(shortId(name), typeof value === 'string' ? value : JSON.stringify(value))
  return [...said].slice(0, mostMetadata).map(([name, value]) => [`“${name}”`, value] as const)
}

function hasContent(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return value !== null && value !== ''
}

function Events({ timeline }: { readonly timeline: Timeline | undefined }) {
  if (timeline === undefined) return <p class="quiet">Reading…</p>
  return (
    <ol class="events">
      {timeline.entries.toReversed().map(({ at, kind, text }, index) => (
        <li key={`${timeline.entries.length - index}`} class={`kind-${kind}`}>
          <Time at={at} />
          <span>
            <Words text={text} />
          </span>
        </li>
      ))}
      {timeline.left_out > 0 && <li class="quiet">{`${whole(timeline.left_out)} older ones`}</li>}
    </ol>
  )
}
