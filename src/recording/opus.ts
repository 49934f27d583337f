// Opus (RFC 6716): the structure of a packet, and its decoder, a build of libopus that is loaded when first needed.
import type { Decoder } from './decoder.ts'

/** The longest packet, in milliseconds, and the longest frame, in bytes. */
const [longestPacketMs, longestFrameBytes] = [120, 1275]
/** What the decoder has room for. */
const longestPacketBytes = 3_840

const [silkFrames, hybridFrames, celtFrames] = [
  [10, 20, 40, 60],
  [10, 20],
  [2.5, 5, 10, 20],
]

/** How long each frame of a packet is, in milliseconds, as its first byte says. */
function frameMs(first: number): number {
  const configuration = first >> 3
  if (configuration < 12) return silkFrames[configuration & 3] ?? 0
  if (configuration < 16) return hybridFrames[configuration & 1] ?? 0
  return celtFrames[configuration & 3] ?? 0
}

/** Bytes and value of the length at `at`; `undefined` when there is none. */
function frameLength(
  packet: Uint8Array,
  at: number,
): readonly [bytes: number, value: number] | undefined {
  const first = packet[at]
  if (first === undefined || first < 252) return first === undefined ? undefined : [1, first]
  const second = packet[at + 1]
  return second === undefined ? undefined : [2, second * 4 + first]
}

/** How many frames a packet has; 0 when it is no Opus packet. */
function frameCount(packet: Uint8Array): number {
  const first = packet[0]
  if (first === undefined || packet.length > longestPacketBytes) return 0
  const rest = packet.length - 1
  switch (first & 3) {
    case 0:
      return rest <= longestFrameBytes ? 1 : 0
    case 1:
      return rest % 2 === 0 && rest / 2 <= longestFrameBytes ? 2 : 0
    case 2: {
      const length = frameLength(packet, 1)
      if (length === undefined) return 0
      const second = rest - length[0] - length[1]
      return second >= 0 && second <= longestFrameBytes ? 2 : 0
    }
    default:
      return framesOfAnyNumber(packet, frameMs(first))
  }
}

/** The frames of a packet that says how many it has. */
function framesOfAnyNumber(packet: Uint8Array, milliseconds: number): number {
  const header = packet[1]
  if (header === undefined) return 0
  const count = header & 0x3f
  if (count === 0 || count * milliseconds > longestPacketMs) return 0
  let at = 2
  let end = packet.length
  if (header & 0x40) {
    let padding: number | undefined
    do {
      padding = packet[at]
      if (padding === undefined) return 0
      end -= Math.min(padding, 254)
      at += 1
    } while (padding === 255)
  }
  if (header & 0x80) {
    for (let frame = 1; frame < count; frame += 1) {
      const length = frameLength(packet, at)
      if (length === undefined) return 0
      at += length[0]
      end -= length[1]
    }
    return end >= at && end - at <= longestFrameBytes ? count : 0
  }
  const bytes = end - at
  return bytes >= 0 && bytes % count === 0 && bytes / count <= longestFrameBytes ? count : 0
}

/** The samples of a packet at a rate; 0 when it is no Opus packet. */
export function opusSamples(packet: Uint8Array, rate: number): number {
  const count = frameCount(packet)
  return count === 0 ? 0 : (count * frameMs(packet[0] ?? 0) * rate) / 1000
}

/**
 * Opens a decoder; of stereo it takes the mean.
 * @param rate 8000, 12000, 16000, 24000 or 48000
 */
export async function createOpusDecoder(rate: number): Promise<Decoder> {
  const { OpusDecoder } = await import('opus-decoder')
  const decoder = new OpusDecoder({ channels: 1, sampleRate: rate as 48_000 })
  await decoder.ready
  return {
    decode: (packet) => {
      const samples = new Int16Array(opusSamples(packet, rate))
      if (samples.length === 0) return samples
      const [decoded] = decoder.decodeFrame(packet).channelData
      for (let index = 0; index < samples.length; index += 1) {
        const value = Math.round((decoded?.[index] ?? 0) * 32_768)
        samples[index] = Math.max(-32_768, Math.min(value, 32_767))
      }
      return samples
    },
    reset: () => decoder.reset(),
    close: () => decoder.free(),
  }
}
