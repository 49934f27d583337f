// Where payloads wait for their commit. What a busy connection reads comes in large pieces, and a packet that waits would keep
// all of its piece; a piece here is full of payloads, and nearly all of them wait for the same commit.

const pieceBytes = 2 ** 16

class PacketMemory {
  #piece = Buffer.allocUnsafeSlow(pieceBytes)
  #used = 0

  /** Where the payload is that was kept last. */
  get memory(): Buffer {
    return this.#piece
  }

  /** Copies a part of what was read; returns where it starts in {@link memory}. */
  keep(bytes: Buffer, from: number, to: number): number {
    const size = to - from
    if (this.#used + size > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, size))
      this.#used = 0
    }
    const start = this.#used
    this.#used += bytes.copy(this.#piece, start, from, to)
    return start
  }
}

/** The memory for payloads of this process. */
export const packetMemory = new PacketMemory()
