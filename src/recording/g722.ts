// ITU-T G.722 at 64 kbit/s: wideband speech, two samples of 16 kHz a byte. Names and numbers of blocks are those
// of the recommendation; all arithmetic is on integers, as it says. Pure.
import type { Decoder } from './decoder.ts'

const lowScaleSteps = [-60, -30, 58, 172, 334, 538, 1198, 3042]
const lowScaleIndex = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0]
const highScaleSteps = [798, -214, 798, -214]
const logarithms = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
  2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
]
const twoBits = [-7408, -1616, 7408, 1616]
const fourBits = [0, ...signed([20456, 12896, 8968, 6288, 4240, 2584, 1200]), 0]
const sixBits = [
  ...[-136, -136, -136, -136],
  ...signed([
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576,
    6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
  ]),
  ...[432, 136, -432, -136],
]
const mirrorFilter = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11]

/** The levels of a quantiser, those of negative sign first. */
function signed(levels: number[]): number[] {
  return [...levels.map((level) => -level), ...levels]
}

function saturate(value: number): number {
  return Math.max(-32_768, Math.min(value, 32_767))
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

/** One of the two sub-bands: its adaptive quantiser and its predictor. */
class Band {
  /** The prediction of the next sample. */
  prediction = 0
  /** The scale of the quantiser. */
  scale: number
  #logScale = 0
  #zeros = 0
  readonly #a = [0, 0]
  readonly #b = [0, 0, 0, 0, 0, 0]
  /** Reconstructed samples, partly reconstructed ones, and differences, newest first. */
  readonly #r = [0, 0]
  readonly #p = [0, 0]
  readonly #d = [0, 0, 0, 0, 0, 0]

  constructor(scale: number) {
    this.scale = scale
  }

  /** Blocks 3: adapts the scale. */
  rescale(step: number, most: number, shift: number): void {
    this.#logScale = clamp(((this.#logScale * 127) >> 7) + step, 0, most)
    const exponent = shift - (this.#logScale >> 11)
    const mantissa = logarithms[(this.#logScale >> 6) & 31] ?? 0
    this.scale = (exponent < 0 ? mantissa << -exponent : mantissa >> exponent) << 2
  }

  /** Block 4: adapts the predictor to a quantised difference, and predicts the next sample. */
  predict(difference: number): void {
    const [a1 = 0, a2 = 0] = this.#a
    const [p1 = 0, p2 = 0] = this.#p
    const reconstructed = saturate(this.prediction + difference)
    const partial = saturate(this.#zeros + difference)
    const agrees = (one: number, other: number) => one < 0 === other < 0

    const slope = saturate(a1 << 2)
    const towards = Math.min(agrees(partial, p1) ? -slope : slope, 32_767) >> 7
    const newA2 = clamp(
      towards + (agrees(partial, p2) ? 128 : -128) + ((a2 * 32_512) >> 15),
      -12_288,
      12_288,
    )
    const bound = saturate(15_360 - newA2)
    const newA1 = clamp(
      saturate((agrees(partial, p1) ? 192 : -192) + ((a1 * 32_640) >> 15)),
      -bound,
      bound,
    )
    const step = difference === 0 ? 0 : 128
    for (let tap = 0; tap < 6; tap += 1) {
      const change = agrees(this.#d[tap] ?? 0, difference) ? step : -step
      this.#b[tap] = saturate(change + (((this.#b[tap] ?? 0) * 32_640) >> 15))
    }

    shiftIn(this.#d, difference)
    shiftIn(this.#r, reconstructed)
    shiftIn(this.#p, partial)
    this.#a[0] = newA1
    this.#a[1] = newA2

    const weigh = (weight: number, value: number) => (weight * saturate(value + value)) >> 15
    const [r1 = 0, r2 = 0] = this.#r
    const poles = saturate(weigh(newA1, r1) + weigh(newA2, r2))
    let zeros = 0
    for (let tap = 0; tap < 6; tap += 1) zeros += weigh(this.#b[tap] ?? 0, this.#d[tap] ?? 0)
    this.#zeros = saturate(zeros)
    this.prediction = saturate(poles + this.#zeros)
  }
}

function shiftIn(values: number[], value: number): void {
  values.pop()
  values.unshift(value)
}

/** Opens a decoder. */
export function createG722Decoder(): Decoder {
  let low = new Band(32)
  let high = new Band(8)
  let history = new Int32Array(24)

  function decodeByte(byte: number): readonly [number, number] {
    const lowCode = byte & 0x3f
    const highCode = byte >> 6
    const level = (low.scale * (sixBits[lowCode] ?? 0)) >> 15
    const lowSample = clamp(low.prediction + level, -16_384, 16_383)
    const coarse = lowCode >> 2
    const lowDifference = (low.scale * (fourBits[coarse] ?? 0)) >> 15
    low.rescale(lowScaleSteps[lowScaleIndex[coarse] ?? 0] ?? 0, 18_432, 8)
    low.predict(lowDifference)

    const highDifference = (high.scale * (twoBits[highCode] ?? 0)) >> 15
    const highSample = clamp(high.prediction + highDifference, -16_384, 16_383)
    high.rescale(highScaleSteps[highCode] ?? 0, 22_528, 10)
    high.predict(highDifference)

    history.copyWithin(0, 2)
    history[22] = lowSample + highSample
    history[23] = lowSample - highSample
    let [first, second] = [0, 0]
    for (let tap = 0; tap < 12; tap += 1) {
      second += (history[2 * tap] ?? 0) * (mirrorFilter[tap] ?? 0)
      first += (history[2 * tap + 1] ?? 0) * (mirrorFilter[11 - tap] ?? 0)
    }
    return [saturate(first >> 11), saturate(second >> 11)]
  }

  return {
    decode: (payload) => {
      const samples = new Int16Array(payload.length * 2)
      for (const [index, byte] of payload.entries()) samples.set(decodeByte(byte), index * 2)
      return samples
    },
    reset: async () => {
      low = new Band(32)
      high = new Band(8)
      history = new Int32Array(24)
    },
    close: () => {},
  }
}
