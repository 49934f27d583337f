// Packets as they go over the wire, built before the clock starts: the same bytes serve every call, since the
// socket or the path says which call it is. Sequences count from 1.

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

/** Where the sequence and the timestamp stand in a {@link binaryFrame}. */
export const sequenceOffset = 12
export const timestampOffset = 20

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

/** A client masks what it sends; with the key 0, which is as legal as any, that changes nothing. */
function frame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125
  const head = Buffer.alloc(long ? 8 : 6)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | (long ? 126 : payload.length)
  if (long) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
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
