// What is missing of audio that has no numbers: said by its protocol, paused, or found by the clock. Pure: time is an
// argument, in milliseconds of a clock that never goes back.
import type { SilenceCause } from '../../calls/media-streams.ts'
import { type ClockGap, ClockGaps } from './clock-gaps.ts'

/** Time without audio in front of a packet; each cause once. */
export type Silences = readonly { readonly milliseconds: number; readonly cause: SilenceCause }[]

/** No silence at all. */
export const noSilences: Silences = []

/** The losses of one stream. */
export class ArrivalLosses {
  readonly #gaps: ClockGaps | undefined
  /** In front of what comes next. */
  #silences: Silences = noSilences
  #pausedAt: number | undefined

  /** @param isByClock whether lost audio has to be found by the clock */
  constructor(isByClock: boolean) {
    this.#gaps = isByClock ? new ClockGaps() : undefined
  }

  /** Takes the next packet; gaps that are now sure, or of which some came after all. */
  took(at: number, durationMs: number): readonly ClockGap[] {
    return this.#gaps?.took(at, durationMs) ?? []
  }

  /** No audio comes for now, or ever: what was not sure before. */
  rest(): readonly ClockGap[] {
    return this.#gaps?.rest() ?? []
  }

  /** The protocol says that audio is missing in front of what comes next. */
  missing(milliseconds: number, cause: SilenceCause): void {
    if (!(milliseconds > 0)) return
    const same = this.#silences.find((silence) => silence.cause === cause)
    this.#silences = [
      ...this.#silences.filter((silence) => silence !== same),
      { milliseconds: milliseconds + (same?.milliseconds ?? 0), cause },
    ]
  }

  /** No audio is expected; false when none was. */
  pause(at: number): boolean {
    if (this.#pausedAt !== undefined) return false
    this.#pausedAt = at
    return true
  }

  /** Audio is expected again; false when it was. */
  resume(at: number): boolean {
    if (this.#pausedAt === undefined) return false
    if (this.#gaps !== undefined) this.missing(at - this.#pausedAt, 'paused')
    this.#gaps?.resume()
    this.#pausedAt = undefined
    return true
  }

  /** The silences in front of the packet that comes now. */
  takeSilences(): Silences {
    const silences = this.#silences
    this.#silences = noSilences
    return silences
  }
}
