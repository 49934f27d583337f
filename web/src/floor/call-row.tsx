// One call on the floor: two lines on a telephone, one elsewhere.
import { memo } from 'preact/compat'
import { useLayoutEffect, useRef } from 'preact/hooks'
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
import { Mood, TalkShare } from '../parts/figures.tsx'
import { Mark } from '../parts/mark.tsx'
import { callHash } from '../route.ts'
import { stateOf } from '../state/call-state.ts'
import { lastedMs, lossShare } from '../state/select.ts'
import type { FloorCall } from '../state/types.ts'

/** What a row needs. */
export type CallRowProps = {
  readonly call: FloorCall
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
  const { call, place, top, isSelected, isNew, onSelect } = props
  const now = useNow(call.status !== 'ARCHIVED')
  const state = stateOf(call, now)
  const isTold = call.talk !== null || call.mood !== null
  const link = useRef<HTMLAnchorElement>(null)
  useLayoutEffect(() => {
    // The focus goes with the keys, before the next one comes, but is not taken away from where a person types.
    if (isSelected && !document.activeElement?.matches('input, select'))
      link.current?.focus({ preventScroll: true })
  }, [isSelected])
  return (
    <tr
      class={`row${isTold ? ' told' : ''}${isNew ? ' new' : ''}${isSelected ? ' selected' : ''}`}
      aria-rowindex={place + 2}
      style={{ transform: `translateY(${top}px)` }}
    >
      <td class={`cell state state-${state}`}>
        <Mark state={state} />
        <span class="word">{state}</span>
      </td>
      <th class="cell call" scope="row">
        <a
          ref={link}
          href={callHash(call.call_id)}
          title={call.call_id}
          onFocus={() => onSelect(call.call_id)}
          onClick={(event) => event.stopPropagation()}
        >
          {shortId(call.call_id)}
        </a>
      </th>
      <td class="cell source">{call.source}</td>
      <td class="cell parties">
        <Parties call={call} />
      </td>
      <td class="cell time" title={`began ${timeWithZone(new Date(call.started_at))}`}>
        {clockTime(lastedMs(call, now))}
      </td>
      <td class={`cell talk${call.talk === null ? ' unknown' : ''}`}>
        <TalkShare talk={call.talk} />
      </td>
      <td class="cell loss">
        <Loss call={call} />
      </td>
      <td class={`cell mood${call.mood === null ? ' unknown' : ''}`}>
        <Mood mood={call.mood} mood_score={call.mood_score} mood_trend={call.mood_trend} />
      </td>
      <td class="cell tries">
        <Tries attempts={call.attempts} />
      </td>
      <td class="cell said">
        <Said call={call} now={now} />
      </td>
    </tr>
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

function Tries({ attempts }: Pick<FloorCall, 'attempts'>) {
  if (attempts === 0) return <span class="quiet">–</span>
  return <span class={attempts === 1 ? 'quiet' : undefined}>{whole(attempts)}</span>
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
  const wait = next === null ? 0 : Date.parse(next) - now
  switch (state) {
    case 'failed':
    case 'failing':
      return (
        <span title={error ?? ''}>
          {next === null ? 'not tried again' : wait > 0 ? `retry in ${roughly(wait)}` : 'retrying'}{' '}
          · <span class="quiet">{`failed ${attempts}×: ${error ?? 'no reason was given'}`}</span>
        </span>
      )
    case 'analysing':
      if (wait > 0)
        return (
          <span title={error ?? ''}>
            {`try ${attempts + 1} in ${roughly(wait)}`} · <span class="quiet">{error}</span>
          </span>
        )
      return (
        <span class="quiet">
          {attempts > 1 ? `the AI has it, try ${attempts}` : 'the AI has it'}
        </span>
      )
    case 'waiting':
      return (
        <span class="quiet">
          {completed_at === null
            ? 'waiting for the AI'
            : `waiting for the AI for ${roughly(now - Date.parse(completed_at))}`}
        </span>
      )
  }
  if (said !== null && said !== '') return <q title={said}>{said}</q>
  return (
    <span class="quiet">{status === 'IN_PROGRESS' ? 'receiving audio' : 'nothing was said'}</span>
  )
}
