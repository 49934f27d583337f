import { wavHeaderBytes, writeWavHeader } from '../../../src/analysis/audio/wav.ts'

const rate = 8_000

/** A WAV file of a soft tone, as transcribers are sent. */
export function wavOf(seconds: number): Uint8Array<ArrayBuffer> {
  const samples = Int16Array.from({ length: seconds * rate }, (_, at) => 2_000 * Math.sin(at / 3))
  const file = new Uint8Array(wavHeaderBytes + samples.byteLength)
  writeWavHeader(file, samples.length, rate)
  file.set(new Uint8Array(samples.buffer), wavHeaderBytes)
  return file
}
