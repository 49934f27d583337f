// The packets of a row of `segments`. Pure.

/** What such a row says of its packets. */
export type PacketsOfSegment = {
  /** The least of its sequences. */
  readonly first_sequence: number
  /** Null where each packet follows the one before. */
  readonly sequences: readonly number[] | null
  /** The senders' clocks: one of each packet. */
  readonly timestamps: readonly number[]
  /** In bytes; a single one where all packets are of that size. */
  readonly sizes: readonly number[]
}

/** A packet of a segment, and from where to where its payload stands in that of the segment. */
export type PacketOfSegment = {
  readonly sequence: number
  readonly timestamp: number
  readonly start: number
  readonly end: number
}

/** Makes something of each packet, in the order of their payloads. */
export function mapSegment<P>(
  { first_sequence, sequences, timestamps, sizes }: PacketsOfSegment,
  make: (packet: PacketOfSegment) => P,
): P[] {
  let end = 0
  return timestamps.map((timestamp, place) => {
    const sequence = sequences === null ? first_sequence + place : (sequences[place] ?? 0)
    const start = end
    end += (sizes.length === 1 ? sizes[0] : sizes[place]) ?? 0
    return make({ sequence, timestamp, start, end })
  })
}
