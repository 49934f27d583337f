// One call: what was said and lost, how it sounded, what the gateway did and does about it.
import { useAnswer, useDesk, useKeys } from '../hooks.ts'
import { type ApiError, callPath } from '../net/api.ts'
import { CopyId } from '../parts/copy.tsx'
import { lastFloorHash } from '../route.ts'
import { stateOf } from '../state/call-state.ts'
import type { FloorCall } from '../state/types.ts'
import { Aside } from './aside.tsx'
import { Conversation } from './conversation.tsx'
import type { CallDetail, Peaks, Quality, Timeline, Transcript } from './types.ts'
import { usePlayer } from './use-player.ts'
import { Waveform } from './waveform.tsx'

/** While audio comes in, it is asked for again so often. */
const liveRefreshMs = 4_000
const points = 1_000

/** The view of a call. */
export function CallView({ callId }: { readonly callId: string }) {
  const seen = useDesk(({ calls }) => calls.get(callId))
  const feedPosition = seen?.position ?? 0
  const path = (part: string) => callPath(callId, part)
  const detail = useAnswer<CallDetail>(path(''), feedPosition)
  const isLive = (seen?.call.status ?? detail.value?.status) === 'IN_PROGRESS'
  const everyMs = isLive ? liveRefreshMs : 0
  const quality = useAnswer<Quality>(path('/quality'), feedPosition, everyMs)
  // What cannot be there is not asked for: a browser calls each refusal an error.
  const hasAudio = quality.value?.tracks.some(({ encoding }) => encoding !== null)
  const peaks = useAnswer<Peaks>(
    hasAudio === true ? path(`/peaks?points=${points}`) : undefined,
    feedPosition,
    everyMs,
  )
  const timeline = useAnswer<Timeline>(path('/timeline'), feedPosition, everyMs)
  const hasTranscript = (detail.value?.transcription ?? null) !== null
  const transcript = useAnswer<Transcript>(
    hasTranscript ? path('/transcript') : undefined,
    feedPosition,
    everyMs,
  )
  const player = usePlayer(path('/recording.wav'), peaks.value?.duration_ms ?? 0)
  useKeys({
    Escape: back,
    ' ': (event) => {
      event.preventDefault()
      player.toggle()
    },
    ArrowLeft: () => player.seek(player.seconds() - 5),
    ArrowRight: () => player.seek(player.seconds() + 5),
  })

  const call = detail.value
  if (call === undefined)
    return detail.error === undefined ? (
      <p class="loading">Reading the call…</p>
    ) : (
      <NotThere error={detail.error} callId={callId} />
    )
  const reloadAll = () => {
    for (const answer of [detail, quality, peaks, timeline, transcript]) answer.reload()
  }
  const isRead = [quality, timeline].every((part) => part.value !== undefined || part.error)
  return (
    <article class="one-call" aria-label={`Call ${callId}`}>
      <header class="call-head">
        <a class="back" href={lastFloorHash()} aria-label="Back to the floor">
          ←
        </a>
        <h2>
          <CopyId id={callId} />
        </h2>
      </header>
      <div class="call-main">
        <Waveform hasAudio={hasAudio} peaks={peaks} player={player} transcript={transcript.value} />
        <Conversation
          call={call}
          transcript={transcript}
          player={player}
          why={timeline.value?.why}
        />
      </div>
      <Aside
        call={call}
        floorCall={seen?.call}
        state={stateOf(seen?.call ?? asFloorCall(call), Date.now())}
        quality={quality.value}
        timeline={timeline.value}
        isRead={isRead}
        player={player}
        onDone={reloadAll}
      />
    </article>
  )
}

function NotThere({ error, callId }: { readonly error: ApiError; readonly callId: string }) {
  return (
    <section class="empty" aria-label="No such call">
      <h2>{error.status === 404 ? 'There is no such call' : 'The call cannot be read'}</h2>
      <p>
        {error.status === 404
          ? 'No packet of it ever arrived, or it was deleted: '
          : `${error.message} `}
        <code>{callId}</code>
      </p>
      <p>
        <a href="#/">Back to the floor</a>
      </p>
    </section>
  )
}

/** A call that is not on the floor any more, as far as its state is concerned. */
function asFloorCall(call: CallDetail): FloorCall {
  return {
    call_id: call.call_id,
    status: call.status,
    source: '',
    from: null,
    to: null,
    started_at: call.created_at,
    completed_at: call.completed_at,
    last_packet_at: null,
    tracks: [],
    packets: call.total_packets,
    lost_packets: call.missing_count,
    lost_ms: null,
    grade: null,
    mood: call.sentiment,
    mood_score: null,
    mood_trend: null,
    talk: null,
    attempts: call.ai_processing_attempts,
    next_attempt_at: null,
    error: call.error_message,
    said_last: null,
    version: 0,
  }
}

/** To the floor as it was left, with its filters. */
function back(): void {
  location.hash = lastFloorHash()
}
