// The packets of one call and track that wait for their commit, in the order of arrival. Pure.
import type { PacketGroup } from './batch.ts'
import type { Packet, PacketSender, TrackName } from './packet.ts'

/** A packet on its way, and whom to tell. */
export type PendingPacket<Receipt> = {
  readonly packet: Packet
  readonly sender: PacketSender<Receipt>
  /** On the monotonic clock, in milliseconds. */
  readonly arrivedAt: number
}

/** What was taken out of a queue for one batch. */
export type TakenGroup<Receipt> = PacketGroup & {
  readonly queue: TrackQueue<Receipt>
  readonly pending: readonly PendingPacket<Receipt>[]
}

/** What a packet takes of the memory beside its payload, in bytes: measured, roughly. */
const overheadBytes = 256

/** The memory a waiting packet takes, in bytes. */
export function weightOf(packet: Packet): number {
  return packet.payload.length + overheadBytes
}

/** One queue. */
export class TrackQueue<Receipt> {
  readonly callId: string
  readonly track: TrackName
  /** In the line of those that may go into the next batch. */
  isReady = false
  /** Set aside until then; 0 when it is not. */
  retryAt = 0
  /** The pause before the next try, in milliseconds; 0 when the last one succeeded. */
  pauseMs = 0
  #waiting: PendingPacket<Receipt>[] = []

  constructor(callId: string, track: TrackName) {
    this.callId = callId
    this.track = track
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(pending: PendingPacket<Receipt>): void {
    this.#waiting.push(pending)
  }

  /** Puts back what was taken out, in front. */
  putBack(pending: readonly PendingPacket<Receipt>[]): void {
    this.#waiting = [...pending, ...this.#waiting]
  }

  /** Takes everything out. */
  clear(): readonly PendingPacket<Receipt>[] {
    const all = this.#waiting
    this.#waiting = []
    return all
  }

  /**
   * Takes packets of one encoding out, from the front: at most so many, and none after those that reach the
   * bytes of payload.
   */
  take(mostPackets: number, mostBytes: number): TakenGroup<Receipt> & { readonly bytes: number } {
    const encoding = this.#waiting[0]?.packet.encoding
    const packets: Packet[] = []
    let bytes = 0
    for (const { packet } of this.#waiting) {
      if (packets.length >= mostPackets || bytes >= mostBytes) break
      if (packet.encoding !== encoding) break
      packets.push(packet)
      bytes += packet.payload.length
    }
    const pending =
      packets.length === this.#waiting.length
        ? this.clear()
        : this.#waiting.splice(0, packets.length)
    return { queue: this, callId: this.callId, packets, pending, bytes }
  }
}
