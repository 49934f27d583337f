// One connection of a PBX, whatever carries it: the streams that its protocol begins on it, and their ends.
import type { Ledger } from '../../ledger/ledger.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { MediaBudget } from './media-budget.ts'
import { LedgerStream, type MediaClock } from './media-stream.ts'
import type { MediaStream, StreamStart } from './protocol.ts'
import { StreamRecord, type StreamRecordOptions } from './stream-record.ts'

/** What all connections of the process share. */
export type MediaParts = {
  readonly ledger: Pick<Ledger, 'append'>
  readonly record: StreamRecordOptions
  readonly budget: MediaBudget
  readonly clock: MediaClock
  readonly logger: Logger
}

/** The media of one connection. */
export class MediaConnection {
  readonly #parts: MediaParts
  readonly #protocol: string
  readonly #open = new Set<LedgerStream>()
  #hasStarted = false
  #isOver = false
  #onAllEnded: (() => void) | undefined

  constructor(parts: MediaParts, protocol: string) {
    this.#parts = parts
    this.#protocol = protocol
  }

  /** True once a stream was begun on it. */
  get hasStarted(): boolean {
    return this.#hasStarted
  }

  /** Begins a stream. */
  start(start: StreamStart): MediaStream {
    const { record, ...parts } = this.#parts
    this.#hasStarted = true
    const stream: LedgerStream = new LedgerStream({
      ...parts,
      start,
      record: new StreamRecord(record, this.#protocol, start),
      onEnded: () => {
        this.#open.delete(stream)
        if (this.#open.size === 0) this.#onAllEnded?.()
      },
    })
    this.#open.add(stream)
    if (this.#isOver) stream.end('disconnected')
    return stream
  }

  /** The connection is over: ends what its protocol has not ended. Resolves when all of it is stored. */
  async over(more: Readonly<Record<string, unknown>>): Promise<void> {
    this.#isOver = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onAllEnded = resolve
    if (this.#open.size === 0) resolve()
    for (const stream of this.#open) stream.end('disconnected', more)
    await promise
  }
}
