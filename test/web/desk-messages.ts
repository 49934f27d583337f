// Messages to the desk, of which a test says only what it is about.
import type {
  Counts,
  FeedEvent,
  Floor,
  FloorCall,
  Status,
  Tick,
} from '../../web/src/state/types.ts'

/** A live call. */
export function callOf(callId: string, change: Partial<FloorCall> = {}): FloorCall {
  return {
    call_id: callId,
    status: 'IN_PROGRESS',
    source: 'twilio',
    from: null,
    to: null,
    started_at: '2026-01-01T00:00:00.000Z',
    completed_at: null,
    last_packet_at: null,
    tracks: ['inbound'],
    packets: 0,
    lost_packets: 0,
    lost_ms: null,
    grade: null,
    mood: null,
    mood_score: null,
    mood_trend: null,
    talk: null,
    attempts: 0,
    next_attempt_at: null,
    error: null,
    said_last: null,
    version: 1,
    ...change,
  }
}

/** A floor, with the counts of its calls. */
export function floorOf(change: Partial<Floor>): Floor {
  const counts = { IN_PROGRESS: 0, COMPLETED: 0, PROCESSING_AI: 0, FAILED: 0, ARCHIVED: 0 }
  for (const { status } of change.calls ?? []) counts[status] += 1
  return {
    position: 1,
    now: new Date(0).toISOString(),
    gateway: 'pbx-1/1/a',
    calls: [],
    counts,
    backlog: { waiting: 0, running: 0, failing: 0, oldest_at: null },
    overdue: 0,
    ...change,
  }
}

/** A tick that counted the calls as of a position. */
export function tickOf(position: number, counts: Counts = floorOf({}).counts): Tick {
  const now = new Date(0).toISOString()
  return { now, packets_per_second: 1, commit_ms: 1, live: 1, position, counts, lag_ms: 1 }
}

/** A change of the status of a call, with the call as it is then if `call` is given. */
export function eventOf(
  position: number,
  callId: string,
  status: Status,
  previous: Status | null,
  call: Partial<FloorCall> = { status },
): FeedEvent {
  return {
    type: 'call_update',
    position,
    call_id: callId,
    timestamp: new Date(position).toISOString(),
    status,
    data: { previous_status: previous },
    call: callOf(callId, call),
  }
}
