// The frames of AudioSocket: a type, the length of the payload (16 bits, big-endian), the payload. Pure.
// https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
import { ProtocolViolation } from '../media/protocol.ts'

/** The types of frames; those of audio are 0x10 to 0x18, one for each rate. */
export const frameTypes = {
  hangup: 0x00,
  uuid: 0x01,
  silence: 0x02,
  dtmf: 0x03,
  audio: 0x10,
  error: 0xff,
} as const

const rates = [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000] as const
const headerBytes = 3
const longestPayload = 0xffff
/** Bytes of a sample. */
const sampleBytes = 2

/** Samples a second of the audio in frames of a type; `undefined`: they hold no audio. */
export function audioRate(type: number): number | undefined {
  return rates[type - frameTypes.audio]
}

/** A type as people write it: `0x10`. */
export function showType(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`
}

type Shape = { readonly name: string; readonly least: number; readonly longest: number }

/** How long the payload of each type may be, in bytes; audio at most 1 s. */
const shapes: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [frameTypes.hangup, { name: 'hangup', least: 0, longest: 0 }],
  [frameTypes.uuid, { name: 'UUID', least: 16, longest: 16 }],
  [frameTypes.silence, { name: 'silence', least: 0, longest: rates[0] * sampleBytes }],
  [frameTypes.dtmf, { name: 'DTMF', least: 1, longest: 1 }],
  [frameTypes.error, { name: 'error', least: 0, longest: 1 }],
  ...rates.map((rate, index): [number, Shape] => [
    frameTypes.audio + index,
    { name: 'audio', least: 0, longest: Math.min(rate * sampleBytes, longestPayload) },
  ]),
])

/** Takes the frames out of the bytes of one connection, however these are cut into chunks. */
export class FrameReader {
  readonly #onFrame: (type: number, payload: Uint8Array) => void
  readonly #header = new Uint8Array(headerBytes)
  #headerLength = 0
  /** Of the frame that has begun; `undefined` until its header is complete. */
  #payload: Uint8Array | undefined
  #payloadLength = 0
  #frames = 0

  /** @param onFrame is told each frame; the payload is a part of a chunk where that holds all of it */
  constructor(onFrame: (type: number, payload: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  /** How many frames were complete so far. */
  get frames(): number {
    return this.#frames
  }

  /** True when a frame has begun and is not complete. */
  get isWithinFrame(): boolean {
    return this.#headerLength > 0
  }

  /**
   * Takes the next bytes. After an error the reader is of no more use.
   * @throws ProtocolViolation for a frame of an unknown type or a wrong length, as soon as its header is there
   */
  read(chunk: Uint8Array): void {
    let from = this.isWithinFrame ? this.#collect(chunk, 0) : 0
    while (from < chunk.length) {
      const start = from + headerBytes
      const end = start <= chunk.length ? start + checkedLength(chunk, from) : start
      if (end > chunk.length) {
        this.#collect(chunk, from)
        return
      }
      this.#frames += 1
      this.#onFrame(chunk[from] ?? 0, chunk.subarray(start, end))
      from = end
    }
  }

  /** Goes on with a frame that several chunks hold, or begins one; where the chunk goes on after it. */
  #collect(chunk: Uint8Array, start: number): number {
    let from = start
    while (this.#headerLength < headerBytes) {
      if (from === chunk.length) return from
      this.#header[this.#headerLength] = chunk[from] ?? 0
      this.#headerLength += 1
      from += 1
    }
    this.#payload ??= new Uint8Array(checkedLength(this.#header, 0))
    const part = chunk.subarray(from, from + this.#payload.length - this.#payloadLength)
    this.#payload.set(part, this.#payloadLength)
    this.#payloadLength += part.length
    if (this.#payloadLength === this.#payload.length) {
      const payload = this.#payload
      this.#payload = undefined
      this.#payloadLength = 0
      this.#headerLength = 0
      this.#frames += 1
      this.#onFrame(this.#header[0] ?? 0, payload)
    }
    return from + part.length
  }
}

/** The length of the payload that the header at a place tells, if its type may have it. */
function checkedLength(bytes: Uint8Array, at: number): number {
  const type = bytes[at] ?? 0
  const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  const shape = shapes.get(type)
  if (shape === undefined)
    throw new ProtocolViolation(
      `The type of a frame should be 0x00 to 0x03, 0x10 to 0x18 or 0xff, but is ${showType(type)}`,
    )
  const { name, least, longest } = shape
  if (length >= least && length <= longest) return length
  const expected = least === longest ? `${least}` : `${least} to ${longest}`
  throw new ProtocolViolation(
    `A frame of type ${showType(type)} (${name}) should have ${expected} bytes, but has ${length}`,
  )
}

const silenceMs = 20
const silences = rates.map((rate, index) => {
  const length = (rate * silenceMs * sampleBytes) / 1_000
  return frame(frameTypes.audio + index, new Uint8Array(length))
})

/** A frame of 20 ms without a sound, of a type of audio. */
export function silenceFrame(type: number): Uint8Array {
  return silences[type - frameTypes.audio] ?? frame(type, new Uint8Array())
}

/** The frame that ends a call. */
export const hangupFrame: Uint8Array = frame(frameTypes.hangup, new Uint8Array())

function frame(type: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(type, payload.length >> 8, payload.length & 0xff), payload])
}

/** The UUID that the payload of its frame holds, in lower case. */
export function readUuid(payload: Uint8Array): string {
  const hex = Buffer.from(payload).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
