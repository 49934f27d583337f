// The packets of one call and track that wait for their commit, in the order of arrival. Pure.
import { type ByteRange, sizeOf } from '../byte-range.ts'
import type { Packet, PacketRun, PacketSender, TrackName } from './packet.ts'
import { cutRun, type PacketGroup } from './packet-group.ts'
import type { PayloadMemory, Piece } from './payload-memory.ts'

/** Packets on their way that came at once, and whom to tell. */
export type PendingRun<Receipt> = PacketRun & {
  readonly sender: PacketSender<Receipt>
  /** Where their payloads are. */
  readonly piece: Piece
  /** When the first of them came, on the monotonic clock, in milliseconds. */
  readonly arrivedAt: number
}

type GrowingRun<Receipt> = Omit<PendingRun<Receipt>, 'end' | 'timestamps'> & {
  end: number
  readonly timestamps: number[]
}

/** What was taken out of a queue for one batch. */
export type TakenGroup<Receipt> = PacketGroup<PendingRun<Receipt>> & {
  /** What becomes of it is open; a group is settled, set aside or put back once. */
  isOpen: boolean
  readonly queue: TrackQueue<Receipt>
  /** Of payload. */
  readonly bytes: number
}

/** What comes within so many milliseconds comes at once. */
const atOnceMs = 1

/** What a packet takes of the memory beside its payload, in bytes, when it is a run by itself: measured, roughly. */
const overheadBytes = 256

/** The memory that waiting packets take, in bytes. */
export function weightOf(payloads: ByteRange, packets: number): number {
  return sizeOf(payloads) + packets * overheadBytes
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
  #waiting: PendingRun<Receipt>[] = []
  /** The last of them, as long as packets may go on there. */
  #growing: GrowingRun<Receipt> | undefined

  constructor(callId: string, track: TrackName) {
    this.callId = callId
    this.track = track
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Adds a packet, its payload as a copy. */
  add(
    packet: Packet,
    payloads: PayloadMemory,
    sender: PacketSender<Receipt>,
    arrivedAt: number,
  ): void {
    this.isInUse = true
    const { callId, track, sequence, timestamp, encoding } = packet
    const size = sizeOf(packet)
    const start = payloads.keep(packet)
    const { piece } = payloads
    const end = start + size
    const last = this.#growing
    const goesOn =
      last !== undefined &&
      last.sender === sender &&
      last.sequence + last.timestamps.length === sequence &&
      last.piece === piece &&
      last.end === start &&
      last.size === size &&
      last.encoding === encoding &&
      arrivedAt - last.arrivedAt < atOnceMs
    if (goesOn) {
      last.timestamps.push(timestamp)
      last.end = end
      return
    }
    const run = {
      callId,
      track,
      sequence,
      timestamps: [timestamp],
      size,
      encoding,
      memory: piece.memory,
      start,
      end,
      sender,
      piece,
      arrivedAt,
    }
    this.#growing = run
    this.#waiting.push(run)
  }

  /** Puts back what was taken out, in front. */
  putBack(runs: readonly PendingRun<Receipt>[]): void {
    this.#waiting = [...runs, ...this.#waiting]
  }

  /** Takes out those that arrived until then. */
  takeUntil(arrivedAt: number): readonly PendingRun<Receipt>[] {
    const later = this.#waiting.findIndex((run) => run.arrivedAt > arrivedAt)
    return this.#takeFirst(later === -1 ? this.#waiting.length : later)
  }

  /**
   * Takes packets of one encoding out, from the front: at most so many, and none after those that reach the
   * bytes of payload.
   */
  take(mostPackets: number, mostBytes: number): TakenGroup<Receipt> {
    const { callId, track } = this
    const encoding = this.#waiting[0]?.encoding ?? 'text'
    const runs: PendingRun<Receipt>[] = []
    let rest: PendingRun<Receipt> | undefined
    let packets = 0
    let bytes = 0
    for (const run of this.#waiting) {
      if (packets >= mostPackets || bytes >= mostBytes || run.encoding !== encoding) break
      const room = Math.min(mostPackets - packets, Math.ceil((mostBytes - bytes) / run.size))
      let fitting = run
      if (run.timestamps.length > room) [fitting, rest] = cutRun(run, room)
      runs.push(fitting)
      packets += fitting.timestamps.length
      bytes += sizeOf(fitting)
    }
    this.#takeFirst(runs.length)
    if (rest !== undefined) this.#waiting.unshift(rest)
    return { isOpen: true, queue: this, callId, track, encoding, runs, packets, bytes }
  }

  /** As it was at first; nothing of it waits or is in flight. */
  reset(): void {
    this.isInUse = false
    this.isReady = false
    this.retryAt = 0
    this.pauseMs = 0
  }

  #takeFirst(count: number): readonly PendingRun<Receipt>[] {
    this.#growing = undefined
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
