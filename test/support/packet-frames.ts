// Binary packets as docs/streams.md lays them out, written by nothing of the product.

/** The header of a binary packet, and its media; what is left out is as usual. */
export type Frame = {
  readonly version?: number
  /** 0 mixed, 1 inbound, 2 outbound. */
  readonly track?: number
  readonly channel?: number
  readonly sequence: number | bigint
  readonly timestamp?: number
  readonly media?: Buffer
}

/** Writes a frame. */
export function frameOf(packet: Frame): Buffer {
  const { version = 1, track = 0, channel = 0, sequence, timestamp = 1 } = packet
  const header = Buffer.alloc(20)
  header.writeUInt8(version, 0)
  header.writeUInt8(track, 1)
  header.writeUInt16BE(channel, 2)
  header.writeBigUInt64BE(BigInt(sequence), 4)
  header.writeDoubleBE(timestamp, 12)
  return Buffer.concat([header, packet.media ?? Buffer.from(`media ${sequence}`)])
}
