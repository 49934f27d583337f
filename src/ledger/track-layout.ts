// Where each packet of a track stands in time: packets follow each other sample for sample, what is missing is a
// gap, and the sender's clock is believed where it contradicts that clearly. Pure; keeps no packet and no list.
import type { SilenceCause } from '../calls/media-streams.ts'

/** What a layout needs to know of a track's format. */
export type LayoutFormat = {
  /** Samples a second. */
  readonly rate: number
  /**
   * Whose clock the timestamps are, in seconds. `sender`: that of the stream; `arrival`: the gateway's when the
   * packet came, which says nothing about gaps.
   */
  readonly clock: 'sender' | 'arrival'
}

/** A packet to be placed. */
export type LaidPacket = {
  readonly sequence: number
  /** In seconds; finite. */
  readonly timestamp: number
  /** How much audio it holds; 0 when that is unknown. */
  readonly samples: number
}

/** Time without audio that no missing sequence tells of. */
export type Silence = {
  readonly before_sequence: number
  readonly milliseconds: number
  readonly cause: SilenceCause
}

/** Why there is no audio. `unsent`: the sender's clock ran on and no number is missing, so it sent no silence. */
export type GapCause = 'missing' | 'unsent' | SilenceCause

/** A time of a track without audio. */
export type Gap = {
  /** In samples from the start of the track. */
  readonly start: number
  readonly samples: number
  readonly cause: GapCause
  /** The missing sequences, or the one the audio stops before (`packets` is 0). */
  readonly first_sequence: number
  readonly last_sequence: number
  readonly packets: number
}

/** A layout between two packets; plain data, from which another layout goes on. */
export type LayoutState = {
  /** Samples so far, gaps included. */
  readonly position: number
  /** The sequence expected; null before the first packet. */
  readonly next: number | null
  /** Samples of the usual packet, by majority, and by how many votes. */
  readonly usual: number
  readonly votes: number
  /** The sender's clock at the start of the track, in seconds; null: not known. */
  readonly origin: number | null
  readonly lastTimestamp: number
  /** How many of the silences are placed. */
  readonly silences: number
}

/** A layout before its first packet. */
export const emptyLayout: LayoutState = {
  position: 0,
  next: null,
  usual: 0,
  votes: 0,
  origin: null,
  lastTimestamp: 0,
  silences: 0,
}

/** Whether audio was lost: silence that was meant, or never sent, is no loss. */
export function isLoss(cause: GapCause): boolean {
  return cause !== 'paused' && cause !== 'unsent'
}

/** Timestamps that differ by less from the samples are jitter, in seconds. */
const jitter = 0.04
/** How fast the sender's clock may differ from its samples: 500 ppm. */
const drift = 0.0005
/** The longest gap, in samples: whatever numbers and clocks say, lengths stay exact integers. */
const longestGap = 2 ** 40

/** Lays out the packets of one track, in ascending order of sequence. */
export class TrackLayout {
  readonly #format: LayoutFormat
  readonly #silences: readonly Silence[]
  readonly #onGap: (gap: Gap) => void
  #state: LayoutState

  /**
   * @param silences of the track, ascending by `before_sequence`
   * @param onGap is told each gap, in order of time
   */
  constructor(
    format: LayoutFormat,
    silences: readonly Silence[],
    onGap: (gap: Gap) => void = () => {},
    state: LayoutState = emptyLayout,
  ) {
    this.#format = format
    this.#silences = silences
    this.#onGap = onGap
    this.#state = state
  }

  /** Where the layout stands. */
  get state(): LayoutState {
    return this.#state
  }

  /** Places the next packet; the sample at which it starts. */
  place(packet: LaidPacket): number {
    const { next, usual, votes, lastTimestamp } = this.#state
    const { sequence, timestamp, samples } = packet
    const expected = next ?? Math.min(sequence, 1)
    this.#skip(packet, expected)
    const silences = this.#placeSilences(sequence)
    const { position } = this.#state
    const isUsual = samples === usual
    const gone = Math.max(timestamp - lastTimestamp, 0)
    this.#state = {
      position: position + samples,
      next: sequence + 1,
      usual: votes === 0 ? samples : usual,
      votes: samples === 0 ? votes : votes === 0 || isUsual ? votes + 1 : votes - 1,
      origin: this.#originAt(timestamp, position, silences > this.#silencesBefore, gone),
      lastTimestamp: timestamp,
      silences,
    }
    return position
  }
}
