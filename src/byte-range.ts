// Bytes as a place in memory. For many small ones that live for a while, a view of each (`subarray()`) costs more to make
// and to collect than its bytes cost to copy.

/** The bytes of `memory` from `start` up to `end`, which may be one of many such places in it. */
export type ByteRange = {
  readonly memory: Buffer
  readonly start: number
  readonly end: number
}

const nothing: ByteRange = { memory: Buffer.alloc(0), start: 0, end: 0 }

/** How many bytes there are. */
export function sizeOf({ start, end }: ByteRange): number {
  return end - start
}

/** A view of the bytes. */
export function bytesOf({ memory, start, end }: ByteRange): Buffer {
  return memory.subarray(start, end)
}

/** All of those bytes, where they are. */
export function rangeOf(bytes: Uint8Array): ByteRange {
  const { buffer, byteOffset, length } = bytes
  const memory = Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, length)
  return { memory, start: 0, end: length }
}

/** Memory for one thing after the other: each must be done with before the next is made. */
export class Scratch {
  #memory = nothing.memory

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    if (this.#memory.length < bytes) this.#memory = Buffer.allocUnsafeSlow(bytes)
    return this.#memory.subarray(0, bytes)
  }
}

/**
 * A copy of all, one after the other.
 * @param bytes how many they are together
 */
export function concatenated(
  ranges: readonly ByteRange[],
  bytes: number,
  scratch: Scratch,
): Buffer {
  const all = scratch.take(bytes)
  let length = 0
  let { memory, start, end } = nothing
  for (const range of ranges) {
    // Those of a stream follow one another in memory as well, and are copied at once.
    if (range.memory !== memory || range.start !== end) {
      length += memory.copy(all, length, start, end)
      memory = range.memory
      start = range.start
    }
    end = range.end
  }
  memory.copy(all, length, start, end)
  return all
}
