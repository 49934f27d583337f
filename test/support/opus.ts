// Real speech in Opus.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(import.meta.dirname, '../recording/fixtures/speech.opus')

/**
 * 200 packets of 20 ms: 4 s of the recording late-delivery from 0.2 s on, coded at 16 kHz and 20 kbit/s. In the
 * file, each packet comes after its length in 16 bits.
 */
export function opusSpeech(): Uint8Array[] {
  const bytes = readFileSync(file)
  const packets: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at))
    packets.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)))
  return packets
}
