// The first thing to be seen: how many calls are where, whether anybody waits too long, and how the gateway is.
import { milliseconds, percent, whole } from '../format.ts'
import { useDesk } from '../hooks.ts'
import { Sparkline } from '../parts/figures.tsx'
import { Since } from '../parts/time.tsx'
import { Total } from '../parts/total.tsx'

/** The overview. */
export function Overview() {
  const counts = useDesk((state) => state.counts)
  const backlog = useDesk((state) => state.backlog)
  const overdue = useDesk((state) => state.overdue)
  const { IN_PROGRESS: live, COMPLETED, PROCESSING_AI, FAILED, ARCHIVED } = counts
  const waiting = COMPLETED + PROCESSING_AI
  return (
    <section class="overview" aria-label="Overview">
      <ul class="totals">
        <Total state="live" count={live} word="live" href="#/?state=live" />
        <Total
          state={backlog.running > 0 ? 'analysing' : 'waiting'}
          count={waiting}
          word="for the AI"
          href={backlog.running > 0 ? '#/?state=analysing' : '#/?state=waiting'}
        >
          {waiting > 0 && <Oldest at={backlog.oldest_at} />}
        </Total>
        <Total
          state={FAILED > 0 ? 'failing' : 'done'}
          count={FAILED}
          word="failing"
          href="#/?state=failing"
        />
        <Total state={overdue > 0 ? 'failed' : 'done'} count={overdue} word="overdue" />
        <Total state="done" count={ARCHIVED} word="done" href="#/?state=done" />
      </ul>
      <Pulse />
    </section>
  )
}

function Oldest({ at }: { readonly at: string | null }) {
  if (at === null) return null
  return (
    <small>
      oldest <Since since={at} />
    </small>
  )
}

function Pulse() {
  const ticks = useDesk((state) => state.ticks)
  const lost = useLostShare()
  const newest = ticks.at(-1)
  return (
    <dl class="pulse">
      <div>
        <dt>packets</dt>
        <dd>{newest === undefined ? '–' : `${whole(newest.packets_per_second)}/s`}</dd>
        <Sparkline values={ticks.map((tick) => tick.packets_per_second)} />
      </div>
      <div>
        <dt>commit</dt>
        <dd>{milliseconds(newest?.commit_ms)}</dd>
        <Sparkline values={ticks.map((tick) => tick.commit_ms ?? 0)} />
      </div>
      <div title="Packets lost of the calls that are live">
        <dt>lost</dt>
        <dd>{percent(lost)}</dd>
      </div>
    </dl>
  )
}

/** The share of packets that is lost in live calls. */
function useLostShare(): number {
  const calls = useDesk((state) => state.calls)
  let [lost, all] = [0, 0]
  for (const { call } of calls.values())
    if (call.status === 'IN_PROGRESS') {
      lost += call.lost_packets
      all += call.lost_packets + call.packets
    }
  return all === 0 ? 0 : lost / all
}
