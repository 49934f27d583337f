// Takes interleaved audio apart: one payload a channel. Pure but for the bytes of a sample that was cut in two by
// a message's end, which wait for the next message.

const nothing = new Uint8Array()

/** Splits the audio of one stream. */
export class Interleaved {
  readonly #channels: number
  readonly #sampleBytes: number
  #rest: Uint8Array = nothing

  /** @param sampleBytes bytes of a sample of one channel */
  constructor(channels: number, sampleBytes: number) {
    this.#channels = channels
    this.#sampleBytes = sampleBytes
  }

  /** Whole samples of each channel, in the order of interleaving; empty when there is not one of each. */
  split(payload: Uint8Array): readonly Uint8Array[] {
    const frame = this.#channels * this.#sampleBytes
    const all = this.#rest.length === 0 ? payload : Buffer.concat([this.#rest, payload])
    const whole = all.length - (all.length % frame)
    // A copy: it should not hold the whole message.
    this.#rest = whole === all.length ? nothing : Uint8Array.from(all.subarray(whole))
    if (whole === 0) return []
    if (this.#channels === 1) return [whole === all.length ? all : all.subarray(0, whole)]
    const size = this.#sampleBytes
    return Array.from({ length: this.#channels }, (_, channel) => {
      const own = new Uint8Array(whole / this.#channels)
      let from = channel * size
      for (let to = 0; to < own.length; to += size) {
        for (let byte = 0; byte < size; byte += 1) own[to + byte] = all[from + byte] ?? 0
        from += frame
      }
      return own
    })
  }
}
