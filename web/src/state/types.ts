// What the gateway tells the desk, as it comes over the wire. Times are ISO 8601 in UTC; texts are of strangers.

/** The states of a call. */
export const statuses = ['IN_PROGRESS', 'COMPLETED', 'PROCESSING_AI', 'FAILED', 'ARCHIVED'] as const
/** One of {@link statuses}. */
export type Status = (typeof statuses)[number]

/** A call as the floor shows it. */
export type FloorCall = {
  readonly call_id: string
  readonly status: Status
  /** The protocol of its media; `http` without a stream. */
  readonly source: string
  readonly from: string | null
  readonly to: string | null
  readonly started_at: string
  readonly completed_at: string | null
  readonly last_packet_at: string | null
  readonly tracks: readonly string[]
  readonly packets: number
  readonly lost_packets: number
  readonly lost_ms: number | null
  readonly grade: string | null
  readonly mood: 'positive' | 'neutral' | 'negative' | 'mixed' | null
  /** -1 (bad) to 1 (good). */
  readonly mood_score: number | null
  /** The same over the call, in a few parts. */
  readonly mood_trend: readonly number[] | null
  /** Null before there is a transcript. */
  readonly talk: Talk | null
  readonly attempts: number
  readonly next_attempt_at: string | null
  readonly error: string | null
  readonly said_last: string | null
  readonly version: number
}

/** Who spoke for how long. */
export type Talk = {
  /** Null, as is `agent_ms`: nobody can tell who spoke. */
  readonly customer_ms: number | null
  readonly agent_ms: number | null
  readonly silence_ms: number
  readonly length_ms: number
}

/** How many calls are in each state. */
export type Counts = Readonly<Record<Status, number>>

/** Calls that wait for their analysis. */
export type Backlog = {
  readonly waiting: number
  readonly running: number
  readonly failing: number
  readonly oldest_at: string | null
}

/** The floor at one position of the feed. */
export type Floor = {
  readonly position: number
  readonly now: string
  readonly gateway: string
  readonly calls: readonly FloorCall[]
  readonly counts: Counts
  readonly backlog: Backlog
  /** Calls whose next step is overdue and has nobody at work: to be 0. */
  readonly overdue: number
}

/** What a gateway says of itself every second. */
export type Tick = {
  readonly now: string
  readonly packets_per_second: number
  readonly commit_ms: number | null
  readonly live: number
  /** The counts are as of it. */
  readonly position: number
  readonly counts: Counts
  readonly lag_ms: number | null
}

/** Something that happened to a call. */
export type FeedEvent = {
  readonly type: string
  /** What a call_event is about. */
  readonly event?: string
  readonly position: number
  readonly call_id: string
  readonly timestamp: string
  readonly status?: Status
  readonly data?: Readonly<Record<string, unknown>>
  /** The call as it is now. */
  readonly call?: FloorCall | null
}
