// The packets of segments in ascending order of sequence, whatever the order they came in.

/** Packets of a track that were committed together. */
export type PacketSegment<P> = {
  /** The least sequence of its packets. */
  readonly first_sequence: number
  readonly packets: readonly P[]
}

/** Packets in ascending order, and from where to read to get them and all after them again. */
export type OrderedPackets<P> = {
  readonly packets: readonly P[]
  /** The `first_sequence` of the earliest segment of which a packet was not yielded before. */
  readonly from: number
}

/**
 * Puts packets in order; segments come by their first sequence. A segment starts at its least sequence, so what
 * lies below the next one's start is complete; only packets of segments that overlap wait.
 */
export async function* inSequence<P extends { readonly sequence: number }>(
  segments: AsyncIterable<PacketSegment<P>>,
): AsyncGenerator<OrderedPackets<P>> {
  let waiting: P[] = []
  let from = 0
  for await (const { first_sequence, packets } of segments) {
    const cut = waiting.findIndex(({ sequence }) => sequence > first_sequence)
    if (cut !== 0 && waiting.length > 0) {
      const ready = cut === -1 ? waiting : waiting.slice(0, cut)
      waiting = cut === -1 ? [] : waiting.slice(cut)
      yield { packets: ready, from }
    }
    if (waiting.length === 0) from = first_sequence
    for (const packet of packets) insertInOrder(waiting, packet)
  }
  if (waiting.length > 0) yield { packets: waiting, from }
}

function insertInOrder<P extends { readonly sequence: number }>(waiting: P[], packet: P): void {
  let low = 0
  let high = waiting.length
  // Packets mostly arrive in order: look at the end first.
  if ((waiting.at(-1)?.sequence ?? -1) < packet.sequence) low = high
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((waiting[middle]?.sequence ?? 0) < packet.sequence) low = middle + 1
    else high = middle
  }
  waiting.splice(low, 0, packet)
}
