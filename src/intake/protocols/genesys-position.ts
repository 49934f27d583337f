// How much audio of an AudioHook session did not arrive. The client tells its position in the audio in every message;
// what it has passed and not sent is missing, to the sample. Pure.

/** Positions are rounded; differences below it are no loss, in seconds. */
const rounding = 0.001

/** Follows one session. */
export class AudioPosition {
  readonly #rate: number
  /** Samples that came, or are known not to come. */
  #samples: number

  /**
   * @param rate samples a second
   * @param start the position at which the session begins, in seconds
   */
  constructor(rate: number, start: number) {
    this.#rate = rate
    this.#samples = Math.round(start * rate)
  }

  /** Audio came: so many samples of each channel. */
  came(samples: number): void {
    this.#samples += samples
  }

  /**
   * The client is at a position, in seconds: what lies before it is sent by now, or never.
   * @returns how much more is missing, in milliseconds; 0 when nothing is
   */
  reached(position: number): number {
    const missing = Math.round(position * this.#rate) - this.#samples
    if (missing <= rounding * this.#rate) return 0
    this.#samples += missing
    return (missing / this.#rate) * 1_000
  }
}
