// The codecs by name: how much audio a packet holds, and how it becomes linear samples.
import type { Decoder } from './decoder.ts'
import { decodeALaw, decodeMuLaw } from './g711.ts'
import { createG722Decoder } from './g722.ts'
import { createOpusDecoder, opusSamples } from './opus.ts'

/** A codec. */
export type Codec = {
  /** The samples of a packet. */
  readonly samplesOf: (payload: Uint8Array, rate: number) => number
  /** The same from its size in bytes; absent where that does not tell. */
  readonly samplesOfSize?: (bytes: number) => number
  /** How many packets settle a decoder that starts in the middle; 0 where each packet stands alone. */
  readonly preroll: number
  /** Opens a decoder for audio of a rate. */
  readonly open: (rate: number) => Promise<Decoder>
}

function codecBySize(
  samplesOfSize: (bytes: number) => number,
  codec: Pick<Codec, 'preroll' | 'open'>,
): Codec {
  return { samplesOf: ({ length }) => samplesOfSize(length), samplesOfSize, ...codec }
}

/** A codec of which each packet stands alone. */
function stateless(bytesPerSample: number, decode: Decoder['decode']): Codec {
  const decoder: Decoder = { decode, reset: async () => {}, close: () => {} }
  return codecBySize((bytes) => Math.floor(bytes / bytesPerSample), {
    preroll: 0,
    open: async () => decoder,
  })
}

function decodeLinear(payload: Uint8Array): Int16Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const samples = new Int16Array(payload.length >> 1)
  for (let index = 0; index < samples.length; index += 1)
    samples[index] = view.getInt16(index * 2, true)
  return samples
}

/** 100 ms and more, as usual packets go: what RFC 6716 asks for, and plenty for G.722. */
const settlingPackets = 5

const codecs = new Map<string, Codec>([
  ['PCMU', stateless(1, decodeMuLaw)],
  ['PCMA', stateless(1, decodeALaw)],
  ['L16', stateless(2, decodeLinear)],
  [
    'G722',
    codecBySize((bytes) => bytes * 2, {
      preroll: settlingPackets,
      open: async () => createG722Decoder(),
    }),
  ],
  ['OPUS', { samplesOf: opusSamples, preroll: settlingPackets, open: createOpusDecoder }],
])

/** The codec of that name, in capitals; `undefined` when it cannot be decoded. */
export function findCodec(encoding: string): Codec | undefined {
  return codecs.get(encoding)
}
