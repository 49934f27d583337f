// One call on the floor: two lines on a telephone, one elsewhere.
import { memo } from 'preact/compat'
import {
  clockTime,
  milliseconds,
  percent,
  roughly,
  shortId,
  timeWithZone,
  whole,
} from '../format.ts'
import { useNow } from '../hooks.ts'
import { Mood } from '../parts/figures.tsx'
import { Mark } from '../parts/mark.tsx'
import { callHash } from '../route.ts'
import { stateOf } from '../state/call-state.ts'
import { lastedMs, lossShare } from '../state/select.ts'
import type { FloorCall } from '../state/types.ts'

/** What a row needs. */
export type CallRowProps = {
  readonly call: FloorCall
  readonly id: string
  /** Its place in the list, from 0. */
  readonly place: number
  /** In pixels, from the top of the list. */
  readonly top: number
  readonly isSelected: boolean
  readonly isNew: boolean
  readonly onSelect: (callId: string) => void
}

/** A row; drawn anew only when its call or its place changed. */
export const CallRow = memo((props: CallRowProps) => {
  const { call, id, place, top, isSelected, isNew, onSelect } = props
  const now = useNow(call.status !== 'ARCHIVED')
  const state = stateOf(call, now)
  return (
    // biome takes the keys of a grid for those of its rows; they are handled by the table.
    <div
      id={id}
      class={`row${isNew ? ' new' : ''}`}
      role="row"
      aria-rowindex={place + 2}
      aria-selected={isSelected}
      tabIndex={-1}
      style={{ transform: `translateY(${top}px)` }}
      onMouseDown={() => onSelect(call.call_id)}
    >
      <div class={`cell state state-${state}`} role="gridcell">
        <Mark state={state} />
        <span class="word">{state}</span>
      </div>
      <div class="cell call" role="gridcell">
        <a href={callHash(call.call_id)} title={call.call_id} tabIndex={-1}>
          {shortId(call.call_id)}
        </a>
      </div>
      <div class="cell source" role="gridcell">
        {call.source}
      </div>
      <div class="cell parties" role="gridcell">
        <Parties call={call} />
      </div>
      <div class="cell time" role="gridcell" title={timeWithZone(new Date(call.started_at))}>
        {clockTime(lastedMs(call, now))}
      </div>
      <div class="cell loss" role="gridcell">
        <Loss call={call} />
      </div>
      <div class="cell mood" role="gridcell">
        <Mood mood={call.mood} mood_score={call.mood_score} />
      </div>
      <div class="cell said" role="gridcell">
        <Said call={call} now={now} />
      </div>
    </div>
  )
})

function Parties({ call: { from, to } }: { readonly call: FloorCall }) {
  if (from === null && to === null) return <span class="quiet">–</span>
  return (
    <span title={`from ${from ?? 'unknown'} to ${to ?? 'unknown'}`}>
      {shortId(from ?? '?', 16)} <span class="quiet">→</span> {shortId(to ?? '?', 16)}
    </span>
  )
}

function Loss({ call }: { readonly call: FloorCall }) {
  const { lost_packets: lost, lost_ms, grade } = call
  if (lost === 0) return <span class="quiet">0</span>
  const share = lossShare(call)
  return (
    <span
      title={`${whole(lost)} packets lost${lost_ms === null ? '' : `, ${milliseconds(lost_ms)} of audio`}${grade === null ? '' : `, grade ${grade}`}`}
    >
      {whole(lost)} <span class="share">{percent(share)}</span>
      {grade !== null && <span class={`grade grade-${grade}`}>{grade}</span>}
    </span>
  )
}

function Said({ call, now }: { readonly call: FloorCall; readonly now: number }) {
  const { status, error, attempts, next_attempt_at: next, said_last: said, completed_at } = call
  const state = stateOf(call, now)
  if (state === 'failing' || state === 'failed') {
    const wait = next === null ? '' : Date.parse(next) - now
    const again =
      wait === '' ? 'not tried again' : wait > 0 ? `next try in ${roughly(wait)}` : 'trying again'
    return (
      <span title={error ?? ''}>
        {again} ·{' '}
        <span class="quiet">{`failed ${attempts}×: ${error ?? 'no reason was given'}`}</span>
      </span>
    )
  }
  if (state === 'analysing')
    return (
      <span class="quiet">{attempts > 1 ? `the AI has it, try ${attempts}` : 'the AI has it'}</span>
    )
  if (state === 'waiting')
    return (
      <span class="quiet">
        {`waits for the AI${completed_at === null ? '' : ` since ${roughly(now - Date.parse(completed_at))}`}`}
      </span>
    )
  if (said !== null && said !== '') return <q title={said}>{said}</q>
  return (
    <span class="quiet">{status === 'IN_PROGRESS' ? 'receiving audio' : 'nothing was said'}</span>
  )
}
