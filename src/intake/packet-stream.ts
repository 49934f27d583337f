// What the streams have in common: a window of packets that are not settled yet. A stream that has filled it,
// or that the ledger asks to pause, should not be read until there is room again: that holds the memory
// of the gateway, and the sender feels it.
import { sizeOf } from '../byte-range.ts'
import type { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Packet, PacketReceipt, PacketRun, PacketSender } from '../ledger/packet.ts'

/** What a stream needs. */
export type PacketStreamOptions = {
  readonly ledger: Pick<Ledger, 'append'>
  /** Told of each packet; those of a track in the order they were appended. */
  readonly onSettled: (packets: PacketRun, outcome: PacketReceipt | GatewayError) => void
  /** Called when a stream that should have paused may go on. */
  readonly onRoom: () => void
}

const windowPackets = 4_096
const windowBytes = 2 ** 20

/** The packets of one stream on their way to the database. */
export class PacketStream implements PacketSender {
  readonly #options: PacketStreamOptions
  #unsettledPackets = 0
  #unsettledBytes = 0
  /** Paused until so few packets are unsettled; `undefined` when it is not. */
  #roomBelow: number | undefined
  #onAllSettled: (() => void) | undefined

  constructor(options: PacketStreamOptions) {
    this.#options = options
  }

  /** Hands a packet in. */
  append(packet: Packet): void {
    this.#unsettledPackets += 1
    this.#unsettledBytes += sizeOf(packet)
    const mayGoOn = this.#options.ledger.append(packet, this)
    const isFull = this.#unsettledPackets >= windowPackets || this.#unsettledBytes >= windowBytes
    if ((isFull || !mayGoOn) && this.#unsettledPackets > 0)
      this.#roomBelow ??= Math.ceil(this.#unsettledPackets / 2)
  }

  /** True while the stream should not be read. */
  get isPaused(): boolean {
    return this.#roomBelow !== undefined
  }

  /** True when nothing more should be read. */
  get isEnding(): boolean {
    return this.#onAllSettled !== undefined
  }

  /** Resolves when nothing is on its way any more, and its senders are told; nothing should be appended then. */
  allSettled(): Promise<void> {
    return new Promise((resolve) => {
      // The receipts of the last commit are told in the microtasks that follow it.
      this.#onAllSettled = () => setImmediate(resolve)
      if (this.#unsettledPackets === 0) this.#onAllSettled()
    })
  }

  /** How many packets are on their way. */
  get unsettled(): number {
    return this.#unsettledPackets
  }

  settled(packets: PacketRun, outcome: PacketReceipt | GatewayError): void {
    this.#unsettledPackets -= packets.timestamps.length
    this.#unsettledBytes -= sizeOf(packets)
    this.#options.onSettled(packets, outcome)
    if (this.#unsettledPackets === 0) this.#onAllSettled?.()
    if (this.#roomBelow === undefined || this.#unsettledPackets >= this.#roomBelow) return
    this.#roomBelow = undefined
    this.#options.onRoom()
  }
}
