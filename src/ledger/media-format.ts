// How audio is coded, as far as it takes to know how long a packet lasts.

/**
 * The codings. `L16` is signed 16-bit linear PCM, little-endian; a packet of `OPUS` is one Opus packet; `G722` is
 * 64 kbit/s.
 */
export const encodings = ['PCMU', 'PCMA', 'L16', 'G722', 'OPUS'] as const
/** A name of {@link encodings}. */
export type Encoding = (typeof encodings)[number]

/** The format of a track. */
export type MediaFormat = {
  readonly encoding: Encoding
  /** Samples a second of one channel. */
  readonly rate: number
}

/** Bytes of a sample of one channel, for codings in which that is constant. */
export function sampleBytes(encoding: Encoding): number | undefined {
  if (encoding === 'L16') return 2
  return encoding === 'PCMU' || encoding === 'PCMA' ? 1 : undefined
}

/** How much audio of one channel a payload holds, in milliseconds. */
export function durationMs({ encoding, rate }: MediaFormat, payload: Uint8Array): number {
  if (encoding === 'OPUS') return opusDurationMs(payload)
  if (encoding === 'G722') return payload.length / 8
  return (payload.length / (sampleBytes(encoding) ?? 1) / rate) * 1_000
}

const silkMs = [10, 20, 40, 60] as const
const hybridMs = [10, 20] as const
const celtMs = [2.5, 5, 10, 20] as const

/** The duration of an Opus packet, by its table-of-contents byte (RFC 6716, 3.1 and 3.2). */
function opusDurationMs(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const configuration = toc >> 3
  const frameMs =
    configuration < 12
      ? silkMs[configuration & 3]
      : configuration < 16
        ? hybridMs[configuration & 1]
        : celtMs[configuration & 3]
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63
  return (frameMs ?? 0) * frames
}
