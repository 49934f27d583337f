// How much audio of an AudioHook session did not arrive. The client tells its position in the audio in every message;
// what it has passed and not sent is missing, to the sample. Pure.
import type { SilenceCause } from '../../calls/media-streams.ts'

/** Time without audio. */
export type Missing = { readonly milliseconds: number; readonly cause: SilenceCause }

/** Positions are rounded; differences below it are no loss, in seconds. */
const rounding = 0.001

/** Follows one session. */
export class AudioPosition {
  readonly #rate: number
  /** Samples that came, or are known not to come. */
  #samples: number
  readonly #missing = new Map<SilenceCause, number>()

  /**
   * @param rate samples a second
   * @param start the position at which the session begins, in seconds
   */
  constructor(rate: number, start: number) {
    this.#rate = rate
    this.#samples = Math.round(start * rate)
  }

  /** The client is at a position, in seconds: what lies before it is sent by now, or never. */
  reached(position: number, cause: SilenceCause): void {
    const missing = Math.round(position * this.#rate) - this.#samples
    if (missing <= rounding * this.#rate) return
    this.#samples += missing
    this.#missing.set(cause, (this.#missing.get(cause) ?? 0) + missing)
  }

  /**
   * Audio came.
   * @param samples of each channel
   * @returns what is missing in front of it
   */
  came(samples: number): readonly Missing[] {
    this.#samples += samples
    const missing = [...this.#missing].map(([cause, count]) => ({
      cause,
      milliseconds: (count / this.#rate) * 1_000,
    }))
    this.#missing.clear()
    return missing
  }
}
