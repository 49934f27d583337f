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
  readonly #state: { -readonly [Key in keyof LayoutState]: LayoutState[Key] }

  /**
   * @param silences of the track, ascending by `before_sequence`
   * @param onGap is told each gap, in order of time
   * @param state where another layout of the track stood
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
    this.#state = { ...state }
  }

  /** Where the layout stands now. */
  get state(): LayoutState {
    return { ...this.#state }
  }

  /** Places the next packet; the sample at which it starts. */
  place(packet: LaidPacket): number {
    const state = this.#state
    const { sequence, samples } = packet
    const hasSilence = this.#nextSilence(sequence) !== undefined
    this.#placeMissing(packet, hasSilence)
    this.#placeSilences(sequence)
    this.#setClock(packet, hasSilence)
    this.#countVote(samples)
    const start = state.position
    state.position += samples
    state.next = sequence + 1
    return start
  }

  /** Places the silences that no packet came after. */
  end(): void {
    this.#placeSilences(Number.POSITIVE_INFINITY)
  }

  #placeMissing({ sequence, timestamp, samples }: LaidPacket, hasSilence: boolean): void {
    const { position, next, usual, origin } = this.#state
    const { rate, clock } = this.#format
    const first_sequence = next ?? Math.min(sequence, 1)
    const packets = sequence - first_sequence
    let gap = packets * (usual || samples)
    if (clock === 'sender' && origin !== null && !hasSilence) {
      const excess = timestamp - origin - (position + gap) / rate
      if (excess > jitter || (excess < -jitter && packets > 0))
        gap = Math.max(gap + Math.round(excess * rate), 0)
    }
    if (packets > 0)
      this.#skip(gap, { cause: 'missing', first_sequence, last_sequence: sequence - 1, packets })
    else if (gap > 0)
      this.#skip(gap, {
        cause: 'unsent',
        first_sequence: sequence,
        last_sequence: sequence,
        packets,
      })
  }

  #nextSilence(sequence: number): Silence | undefined {
    const silence = this.#silences[this.#state.silences]
    return silence !== undefined && silence.before_sequence <= sequence ? silence : undefined
  }

  #placeSilences(sequence: number): void {
    for (;;) {
      const silence = this.#nextSilence(sequence)
      if (silence === undefined) return
      const { before_sequence, milliseconds, cause } = silence
      this.#skip(Math.round((milliseconds / 1000) * this.#format.rate), {
        cause,
        first_sequence: before_sequence,
        last_sequence: before_sequence,
        packets: 0,
      })
      this.#state.silences += 1
    }
  }

  #skip(samples: number, gap: Omit<Gap, 'start' | 'samples'>): void {
    const length = Math.min(samples, longestGap)
    this.#onGap({ start: this.#state.position, samples: length, ...gap })
    this.#state.position += length
  }

  /** The earliest packet tells what the clock was at the start of the track; silence begins anew. */
  #setClock({ timestamp }: LaidPacket, hasSilence: boolean): void {
    const state = this.#state
    const origin = timestamp - state.position / this.#format.rate
    const creep = Math.max(timestamp - state.lastTimestamp, 0) * drift
    state.origin =
      hasSilence || state.origin === null ? origin : Math.min(origin, state.origin + creep)
    state.lastTimestamp = timestamp
  }

  #countVote(samples: number): void {
    const state = this.#state
    if (samples === 0) return
    if (state.votes === 0) state.usual = samples
    state.votes += samples === state.usual ? 1 : -1
  }
}
