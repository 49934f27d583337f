// The packets of one call and track that wait for their commit, in the order of arrival. Pure.
import { sizeOf } from '../byte-range.ts'
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
  /** What becomes of it is open; a group is settled, set aside or put back once. */
  isOpen: boolean
  readonly queue: TrackQueue<Receipt>
  readonly pending: readonly PendingPacket<Receipt>[]
}

/** What a packet takes of the memory beside its payload, in bytes: measured, roughly. */
const overheadBytes = 256

/** The memory a waiting packet takes, in bytes. */
export function weightOf(packet: Packet): number {
  return sizeOf(packet) + overheadBytes
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
  /** Since when it has been found locked at every try. */
  lockedAt = 0
  /** Something of it waits or is in flight. */
  isInUse = false
  #waiting: PendingPacket<Receipt>[] = []

  constructor(callId: string, track: TrackName) {
    this.callId = callId
    this.track = track
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(pending: PendingPacket<Receipt>): void {
    this.isInUse = true
    this.#waiting.push(pending)
  }

  /** Puts back what was taken out, in front. */
  putBack(pending: readonly PendingPacket<Receipt>[]): void {
    this.#waiting = [...pending, ...this.#waiting]
  }

  /** Takes out those that arrived until then. */
  takeUntil(arrivedAt: number): readonly PendingPacket<Receipt>[] {
    const later = this.#waiting.findIndex((one) => one.arrivedAt > arrivedAt)
    return this.#takeFirst(later === -1 ? this.#waiting.length : later)
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
      bytes += sizeOf(packet)
    }
    const pending = this.#takeFirst(packets.length)
    return { isOpen: true, queue: this, callId: this.callId, packets, pending, bytes }
  }

  /** As it was at first; nothing of it waits or is in flight. */
  reset(): void {
    this.isInUse = false
    this.isReady = false
    this.retryAt = 0
    this.pauseMs = 0
  }

  #takeFirst(count: number): readonly PendingPacket<Receipt>[] {
    if (count < this.#waiting.length) return this.#waiting.splice(0, count)
    const all = this.#waiting
    this.#waiting = []
    return all
  }
}

const mostKept = 10_000

/**
 * The queues of all calls. Empty ones are kept until there are many: a map through which every packet passes
 * would keep packets from being collected while they are young.
 */
export class TrackQueues<Receipt> {
  readonly #byTrack = {
    inbound: new Map<string, TrackQueue<Receipt>>(),
    outbound: new Map<string, TrackQueue<Receipt>>(),
    mixed: new Map<string, TrackQueue<Receipt>>(),
  }
  #sweepAt = mostKept

  /** The queue of a packet's call and track. */
  of({ callId, track }: Packet): TrackQueue<Receipt> {
    const ofTrack = this.#byTrack[track]
    let queue = ofTrack.get(callId)
    if (queue === undefined) {
      if (ofTrack.size >= this.#sweepAt) this.#sweep(ofTrack)
      queue = new TrackQueue(callId, track)
      ofTrack.set(callId, queue)
    }
    return queue
  }

  #sweep(queues: Map<string, TrackQueue<Receipt>>): void {
    for (const [callId, { isInUse }] of queues) if (!isInUse) queues.delete(callId)
    this.#sweepAt = Math.max(mostKept, 2 * queues.size)
  }
}
