// Where payloads wait for their commit. What connections read comes in large buffers of short lives, and V8 collects all of
// the heap whenever many were made: a payload is copied out once, into memory that is used again. Pure.
import { type ByteRange, sizeOf } from '../byte-range.ts'

const pieceBytes = 2 ** 16

/** Payloads side by side. */
export type Piece = {
  readonly memory: Buffer
  /** How many of them are still needed. */
  payloads: number
}

/** Pieces that wait to be used again: as much as two large batches take. */
const mostSpare = 32

/** The memory for the payloads of one queue. */
export class PayloadMemory {
  #piece = newPiece(pieceBytes)
  #used = 0
  readonly #spare: Piece[] = []

  /** Where the payload is that was kept last. */
  get piece(): Piece {
    return this.#piece
  }

  /** Copies a payload, side by side with the one before where there is room; returns where it starts in {@link piece}. */
  keep(payload: ByteRange): number {
    const size = sizeOf(payload)
    if (this.#used + size > this.#piece.memory.length) this.#next(size)
    this.#piece.payloads += 1
    const start = this.#used
    this.#used += payload.memory.copy(this.#piece.memory, start, payload.start, payload.end)
    return start
  }

  /** So many payloads of a piece are needed no more: once none is, others are written there. */
  release(piece: Piece, payloads: number): void {
    piece.payloads -= payloads
    if (piece.payloads > 0 || piece.memory.length !== pieceBytes) return
    if (piece === this.#piece) this.#used = 0
    else if (this.#spare.length < mostSpare) this.#spare.push(piece)
  }

  #next(size: number): void {
    const before = this.#piece
    this.#piece = size > pieceBytes ? newPiece(size) : (this.#spare.pop() ?? newPiece(pieceBytes))
    this.#used = 0
    this.release(before, 0)
  }
}

function newPiece(bytes: number): Piece {
  return { memory: Buffer.allocUnsafeSlow(bytes), payloads: 0 }
}
