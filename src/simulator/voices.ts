// The speakers of a conversation apart, as G.711 µ-law, and as the linear PCM that some wires carry.
import { packetBytes, type Recording } from './recordings.ts'

/** Both speakers of a call: G.711 µ-law at 8 kHz, whole packets of 20 ms, equally long. */
export type Voices = {
  readonly customer: Uint8Array
  readonly agent: Uint8Array
}

/** The shape of linear PCM; stereo has the customer left and the agent right. */
export type LinearFormat = {
  readonly channels: 'mixed' | 'stereo' | 'customer' | 'agent'
  /** Samples a second: a multiple of 8000. */
  readonly sampleRate: number
}

const ulawRate = 8000
const ulawSilence = 0xff
const loudest = 32_767

/** Gives every speaker a track of their own, silent while the other one speaks. */
export function splitVoices({ audio, turns }: Recording): Voices {
  const voices = {
    customer: new Uint8Array(audio.length).fill(ulawSilence),
    agent: new Uint8Array(audio.length).fill(ulawSilence),
  }
  for (const { speaker, start, end } of turns) {
    const from = start * packetBytes
    voices[speaker].set(audio.subarray(from, end * packetBytes), from)
  }
  return voices
}

/** How many packets a call of these voices fills. */
export function voicePackets({ customer }: Voices): number {
  return customer.length / packetBytes
}

/** Bytes of 20 ms of linear PCM. */
export function linearPacketBytes({ channels, sampleRate }: LinearFormat): number {
  return (sampleRate / 50) * (channels === 'stereo' ? 2 : 1) * 2
}

/** Expands to 16 bit little-endian; above 8 kHz every original sample is kept, with straight lines between. */
export function linearAudio({ customer, agent }: Voices, format: LinearFormat): Buffer {
  const repeat = format.sampleRate / ulawRate
  const channels = {
    customer: () => [expand(customer)],
    agent: () => [expand(agent)],
    stereo: () => [expand(customer), expand(agent)],
    mixed: () => [mix(expand(customer), expand(agent))],
  }
    [format.channels]()
    .map((samples) => interpolate(samples, repeat))
  const bytes = Buffer.alloc((channels[0]?.length ?? 0) * channels.length * 2)
  for (const [channel, samples] of channels.entries())
    for (const [index, sample] of samples.entries())
      bytes.writeInt16LE(sample, (index * channels.length + channel) * 2)
  return bytes
}

const expanded = Int16Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84
  return (bits & 0x80) === 0 ? magnitude : -magnitude
})

function expand(ulaw: Uint8Array): Int16Array {
  return Int16Array.from(ulaw, (byte) => expanded[byte] ?? 0)
}

function mix(one: Int16Array, other: Int16Array): Int16Array {
  return one.map((sample, index) =>
    Math.max(-loudest - 1, Math.min(loudest, sample + (other[index] ?? 0))),
  )
}

function interpolate(samples: Int16Array, repeat: number): Int16Array {
  if (repeat === 1) return samples
  const result = new Int16Array(samples.length * repeat)
  for (const [index, sample] of samples.entries()) {
    const step = ((samples[index + 1] ?? sample) - sample) / repeat
    for (let part = 0; part < repeat; part += 1)
      result[index * repeat + part] = Math.round(sample + step * part)
  }
  return result
}
