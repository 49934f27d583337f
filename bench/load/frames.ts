// Packets as they go over the wire, built before the clock starts: the same bytes serve every call, since the
// socket or the path says which call it is. Sequences count from 1.
import { randomBytes } from 'node:crypto'

/** Pieces of wire in one buffer: piece `n` lies from `ends[n - 1]` (or 0) to `ends[n]`. */
export type Wire = {
  readonly bytes: Buffer
  readonly ends: Float64Array
  readonly packetsPerPiece: number
}

export type WireKind = 'binary' | 'json' | 'ndjson'

/** 20 ms of G.711. */
const media = Buffer.alloc(160, 0xd5)
const base64 = media.toString('base64')
const binaryHeader = 20
const linesPerChunk = 32

/** Builds the wire of so many packets, or a few more. */
export function buildWire(kind: WireKind, packets: number): Wire {
  if (kind === 'binary') return joinPieces(packets, 1, binaryFrame)
  if (kind === 'json') return joinPieces(packets, 1, (first) => textFrame(jsonPacket(first)))
  return joinPieces(Math.ceil(packets / linesPerChunk), linesPerChunk, ndjsonChunk)
}

/** A masked binary WebSocket frame with one packet (docs/streams.md). */
export function binaryFrame(sequence: number, channel = 0): Buffer {
  const message = Buffer.alloc(binaryHeader + media.length)
  message[0] = 1
  message.writeUInt16BE(channel, 2)
  message.writeBigUInt64BE(BigInt(sequence), 4)
  message.writeDoubleBE(timestampOf(sequence), 12)
  media.copy(message, binaryHeader)
  return frame(2, message)
}

/**
 * Makes a {@link binaryFrame} that of another packet.
 * @param sequence less than 2^32
 */
export function renumber(frame: Buffer, sequence: number): void {
  // The head is 8 bytes, the last four of them the mask.
  const mask = frame.readUInt32BE(4)
  const remask = (at: number) => frame.writeUInt32BE((frame.readUInt32BE(at) ^ mask) >>> 0, at)
  frame.writeUInt32BE(sequence, 16)
  frame.writeDoubleBE(timestampOf(sequence), 20)
  for (const at of [16, 20, 24]) remask(at)
}

/** A masked text WebSocket frame. */
export function textFrame(text: string): Buffer {
  return frame(1, Buffer.from(text))
}

export function pongFrame(payload: Buffer): Buffer {
  return frame(10, payload)
}

export function timestampOf(sequence: number): number {
  return 1732147200 + sequence / 50
}

function jsonPacket(sequence: number): string {
  return `{"sequence":${sequence},"data":"${base64}","timestamp":${timestampOf(sequence)}}`
}

/** A chunk of a chunked request, with some lines. */
function ndjsonChunk(first: number): Buffer {
  const lines = Array.from({ length: linesPerChunk }, (_, n) => `${jsonPacket(first + n)}\n`).join(
    '',
  )
  return Buffer.from(`${lines.length.toString(16)}\r\n${lines}\r\n`)
}

/** A client masks what it sends, each frame with a key that nobody can foresee (RFC 6455, 5.3). */
function frame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125
  const head = Buffer.alloc(long ? 4 : 2)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | (long ? 126 : payload.length)
  if (long) head.writeUInt16BE(payload.length, 2)
  const mask = randomBytes(4)
  const masked = payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))
  return Buffer.concat([head, mask, masked])
}

function joinPieces(
  pieces: number,
  packetsPerPiece: number,
  build: (firstSequence: number) => Buffer,
): Wire {
  const all: Buffer[] = []
  const ends = new Float64Array(pieces)
  let end = 0
  for (let piece = 0; piece < pieces; piece += 1) {
    const bytes = build(piece * packetsPerPiece + 1)
    all.push(bytes)
    end += bytes.length
    ends[piece] = end
  }
  return { bytes: Buffer.concat(all), ends, packetsPerPiece }
}

/** The bytes of pieces `from` up to, not including, `to`. */
export function slicePieces({ bytes, ends }: Wire, from: number, to: number): Buffer {
  return bytes.subarray(from === 0 ? 0 : ends[from - 1], ends[to - 1])
}
