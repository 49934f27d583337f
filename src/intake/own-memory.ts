// Payloads in memory of their own: what a busy connection reads comes in large pieces, and a packet that waits would keep
// all of its piece.

/** A copy of a part of what was read. */
export function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  // Not a copy of a view: to make a view costs more than to copy a packet.
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}
