// Cuts audio of any length into files that a service takes, in the pauses between words where there are any. Holds one
// piece at a time.
import { quietestPlace } from './silence.ts'
import { wavHeaderBytes, writeWavHeader } from './wav.ts'

/** The most that a piece may hold. */
export type PieceLimit = { readonly bytes: number; readonly seconds: number }

/** A part of the audio. */
export type AudioPiece = {
  /** Seconds from the start of all the audio. A piece that was not cut in silence begins before the last one ends. */
  readonly start: number
  readonly end: number
  /** A WAV file: 16-bit PCM, mono. */
  readonly audio: Uint8Array<ArrayBuffer>
}

/** Where there is no pause, two pieces share so much: longer than a word. */
const overlapSeconds = 2
/** A pause is looked for in the last part of a piece. */
const [searchShare, longestSearchSeconds] = [0.25, 60]
/** Services refuse what is shorter; it is filled up with silence. */
const shortestSeconds = 0.2

/**
 * Cuts frames of 16-bit samples.
 * @param rate samples a second
 * @throws RangeError when the limit leaves no room for a piece of eight seconds
 */
export async function* cutAudio(
  frames: AsyncIterable<Int16Array>,
  rate: number,
  limit: PieceLimit,
): AsyncGenerator<AudioPiece, void, undefined> {
  const most = Math.floor(Math.min((limit.bytes - wavHeaderBytes) / 2, limit.seconds * rate))
  const overlap = overlapSeconds * rate
  if (most < 4 * overlap) throw new RangeError('A piece of audio may not be so short')
  const search = Math.floor(Math.min(most * searchShare, longestSearchSeconds * rate))
  let buffer = new Int16Array(Math.min(most, 10 * rate))
  let filled = 0
  let first = 0

  /** The piece up to sample `end` of the buffer; what comes from sample `next` on is kept. */
  function take(end: number, next: number): AudioPiece {
    const piece = pieceOf(buffer.subarray(0, end), first, rate)
    buffer.copyWithin(0, next, filled)
    filled -= next
    first += next
    return piece
  }

  for await (const frame of frames) {
    let rest = frame
    while (rest.length > 0) {
      // Only when more comes: a last piece that holds nothing new would say things twice.
      if (filled === most) {
        const place = quietestPlace(buffer, most - search, rate)
        yield place.isSilent ? take(place.at, place.at) : take(most, most - overlap)
      }
      const part = rest.subarray(0, most - filled)
      if (filled + part.length > buffer.length)
        buffer = grown(buffer, Math.min(most, Math.max(2 * buffer.length, filled + part.length)))
      buffer.set(part, filled)
      filled += part.length
      rest = rest.subarray(part.length)
    }
  }
  if (filled > 0) yield take(filled, filled)
}

function pieceOf(samples: Int16Array, first: number, rate: number): AudioPiece {
  const length = Math.max(samples.length, Math.ceil(shortestSeconds * rate))
  const audio = new Uint8Array(wavHeaderBytes + 2 * length)
  writeWavHeader(audio, length, rate)
  // Every processor that Node runs the gateway on keeps samples as a WAV file does, the low byte first.
  audio.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), wavHeaderBytes)
  return { start: first / rate, end: (first + samples.length) / rate, audio }
}

function grown(samples: Int16Array<ArrayBuffer>, length: number): Int16Array<ArrayBuffer> {
  const longer = new Int16Array(length)
  longer.set(samples)
  return longer
}
