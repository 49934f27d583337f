// The WAV file that services are sent: 16-bit PCM, mono. Pure.

/** Bytes before the samples. */
export const wavHeaderBytes = 44

const [pcm, channels, bytesPerSample] = [1, 1, 2]

/**
 * Writes the header of a file that holds `samples` samples after it.
 * @param rate samples a second
 */
export function writeWavHeader(file: Uint8Array, samples: number, rate: number): void {
  const view = new DataView(file.buffer, file.byteOffset, wavHeaderBytes)
  const name = (at: number, text: string) =>
    [...text].forEach((letter, index) => {
      view.setUint8(at + index, letter.charCodeAt(0))
    })
  name(0, 'RIFF')
  view.setUint32(4, wavHeaderBytes - 8 + samples * bytesPerSample, true)
  name(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, pcm, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * bytesPerSample, true)
  view.setUint16(32, bytesPerSample, true)
  view.setUint16(34, bytesPerSample * 8, true)
  name(36, 'data')
  view.setUint32(40, samples * bytesPerSample, true)
}
