// Packets as an entry of the journal: arrays with an element for each. Pure.
import { type ByteRange, sizeOf } from '../byte-range.ts'
import { byteaArray, float8Array, int2Array, int8Array } from '../database/binary-array.ts'
import { trackNames } from './packet.ts'
import { eachPacket, type PacketGroup } from './packet-group.ts'

/** The parameters of append_to_journal() after the journal. */
export type JournalParameters = [
  encoding: 'text' | 'binary',
  firsts: string,
  lasts: string,
  calls: Uint8Array,
  tracks: Uint8Array,
  sequences: Uint8Array,
  timestamps: Uint8Array,
  payloads: Uint8Array,
]

/** What of an entry fits on a page of PostgreSQL, and what a packet takes of that beside its payload, in bytes. */
const entryBytes = 7_800
const overheadBytes = 34

/** Writes groups of one encoding as parameters, and says how many bytes of payload they have. */
export function journalParameters(
  groups: readonly (readonly [call: number, group: PacketGroup])[],
): { readonly parameters: JournalParameters; readonly bytes: number } {
  const calls: number[] = []
  const tracks: number[] = []
  const sequences: number[] = []
  const timestamps: number[] = []
  const payloads: ByteRange[] = []
  const firsts = [1]
  const lasts: number[] = []
  let bytes = 0
  let bytesOfEntry = 0
  for (const [call, group] of groups)
    eachPacket(group.runs, (packet) => {
      const size = sizeOf(packet)
      bytesOfEntry += size + overheadBytes
      if (bytesOfEntry > entryBytes && calls.length >= (firsts.at(-1) ?? 1)) {
        lasts.push(calls.length)
        firsts.push(calls.length + 1)
        bytesOfEntry = size + overheadBytes
      }
      calls.push(call)
      tracks.push(trackNames.indexOf(packet.track) + 1)
      sequences.push(packet.sequence)
      timestamps.push(packet.timestamp)
      payloads.push(packet)
      bytes += size
    })
  lasts.push(calls.length)
  return {
    parameters: [
      groups[0]?.[1].encoding ?? 'text',
      `{${firsts.join()}}`,
      `{${lasts.join()}}`,
      int8Array(calls),
      int2Array(tracks),
      int8Array(sequences),
      float8Array(timestamps),
      byteaArray(payloads),
    ],
    bytes,
  }
}
