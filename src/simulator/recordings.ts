// The telephone conversations that ship with the product (assets/speech): real speech, every word known.
// Made by scripts/make-speech.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '../errors.ts'

/** Bytes of one packet: 20 ms of 8 kHz G.711 µ-law. */
export const packetBytes = 160

/** Seconds of audio in one packet. */
export const packetSeconds = 0.02

/** Who speaks, what, and in which packets: from `start` up to but not including `end`. */
export type Turn = {
  readonly speaker: 'customer' | 'agent'
  readonly text: string
  readonly start: number
  readonly end: number
}

/** One conversation, both speakers on one line. */
export type Recording = {
  readonly name: string
  /** Raw G.711 µ-law, a whole number of packets. */
  readonly audio: Uint8Array
  /** In order of time. */
  readonly turns: readonly Turn[]
}

const folder = join(import.meta.dirname, '../../assets/speech')

/**
 * Reads all recordings.
 * @throws StartupError when they are not installed
 */
export async function loadRecordings(): Promise<readonly Recording[]> {
  try {
    const index: Omit<Recording, 'audio'>[] = JSON.parse(
      await readFile(join(folder, 'speech.json'), 'utf8'),
    )
    return await Promise.all(
      index.map(async ({ name, turns }) => ({
        name,
        audio: await readFile(join(folder, `${name}.ulaw`)),
        turns,
      })),
    )
  } catch (cause) {
    throw new StartupError(`The recordings in ${folder} cannot be read; install again.`, { cause })
  }
}

/** How many packets a recording fills. */
export function packetCount({ audio }: Recording): number {
  return audio.length / packetBytes
}

/** What the packet `index` (from 0) of a recording holds, in base64. */
export function packetData({ audio }: Recording, index: number): string {
  return Buffer.from(audio.subarray(index * packetBytes, (index + 1) * packetBytes)).toString(
    'base64',
  )
}
