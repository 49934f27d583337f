// What the gateway tells of a single call. Texts are of strangers.
import type { Status } from '../state/types.ts'

/** `GET /v1/call/{id}` */
export type CallDetail = {
  readonly call_id: string
  readonly status: Status
  readonly created_at: string
  readonly completed_at: string | null
  readonly ai_processed_at: string | null
  readonly total_packets: number
  readonly missing_count: number
  readonly transcription: string | null
  readonly sentiment: 'positive' | 'neutral' | 'negative' | 'mixed' | null
  readonly summary: string | null
  readonly error_message: string | null
  readonly ai_processing_attempts: number
  readonly tracks_swapped: boolean
}

/** A place without audio; milliseconds from the start of the call. */
export type Gap = {
  readonly start_ms: number | null
  readonly duration_ms: number | null
  readonly first_sequence: number
  readonly last_sequence: number
  readonly packets: number
  readonly cause: string
}

/** `GET /v1/call/{id}/quality` */
export type Quality = {
  readonly grade: string | null
  readonly lost_ms: number | null
  readonly duration_ms: number | null
  readonly tracks: readonly {
    readonly track: string
    readonly role: string
    readonly encoding: string | null
    readonly rate: number | null
    readonly received: number
    readonly duplicate: number
    readonly late: number
    readonly reordered: number
    readonly missing_packets: string
    readonly missing_count: number
    readonly missing_ms: number | null
    readonly duration_ms: number | null
    readonly gaps: readonly Gap[]
    readonly gaps_total: number
  }[]
}

/** `GET /v1/call/{id}/peaks` */
export type Peaks = {
  readonly duration_ms: number
  readonly tracks: readonly {
    readonly track: string
    readonly role: string
    readonly peaks: readonly (readonly [least: number, greatest: number])[]
    readonly gaps: readonly Gap[]
  }[]
}

/** `GET /v1/call/{id}/timeline` */
export type Timeline = {
  readonly why: string | null
  readonly left_out: number
  readonly entries: readonly {
    readonly at: string
    readonly kind: string
    readonly text: string
    readonly data: Readonly<Record<string, unknown>>
  }[]
}

/** Something that was said; seconds of the call. */
export type Utterance = {
  readonly track: string | null
  readonly speaker: 'customer' | 'agent' | null
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A part of a call with the mood in it, -1 to 1; seconds of the call. */
export type Stretch = { readonly start: number; readonly end: number; readonly score: number }

/** `GET /v1/call/{id}/transcript` */
export type Transcript = {
  readonly utterances: readonly Utterance[]
  readonly text: string | null
  readonly lost_audio: readonly {
    readonly track: string
    readonly start: number
    readonly end: number
  }[]
  readonly redactions: readonly {
    readonly class: string
    readonly start: number
    readonly end: number
  }[]
  /** Of the customer; null until it is judged. */
  readonly mood: { readonly over_time: readonly Stretch[] } | null
  /** In seconds; null until it is measured. */
  readonly talk: {
    /** Null, as is `agent`: nobody can tell who spoke. */
    readonly customer: number | null
    readonly agent: number | null
    readonly silence: number
    readonly length: number
  } | null
}
