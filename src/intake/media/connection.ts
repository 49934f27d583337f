// One connection of a PBX, whatever carries it: the streams that its protocol begins on it, and their ends.
import type { Ledger } from '../../ledger/ledger.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { MediaBudget } from './media-budget.ts'
import { LedgerStream, type MediaClock, type RedactKeys } from './media-stream.ts'
import type { MediaStream, StreamStart } from './protocol.ts'
import { StreamRecord, type StreamRecordOptions } from './stream-record.ts'

/** What all connections of the process share. */
export type MediaParts = {
  readonly ledger: Pick<Ledger, 'append'>
  readonly record: StreamRecordOptions
  readonly budget: MediaBudget
  readonly clock: MediaClock
  readonly redactKeys?: RedactKeys
  readonly logger: Logger
}

/** Audio that came before its stream was begun. */
type EarlyAudio = {
  readonly payload: Uint8Array
  /** When it came, by both clocks. */
  readonly steady: number
  readonly wall: number
}

/** Of each connection; 2 s in the richest format there is. */
const mostEarlyBytes = 2 ** 20

/** The media of one connection. */
export class MediaConnection {
  readonly #parts: MediaParts
  readonly #protocol: string
  readonly #open = new Set<LedgerStream>()
  #hasStarted = false
  #over: Promise<void> | undefined
  #onAllEnded: (() => void) | undefined
  #early: EarlyAudio[] = []
  #earlyBytes = 0

  constructor(parts: MediaParts, protocol: string) {
    this.#parts = parts
    this.#protocol = protocol
  }

  /** True once a stream was begun on it. */
  get hasStarted(): boolean {
    return this.#hasStarted
  }

  /** True while none of its streams is open. */
  get isIdle(): boolean {
    return this.#open.size === 0
  }

  /** Keeps audio that came before the stream to which it belongs can be begun; there is an end to its room. */
  keep(payload: Uint8Array): void {
    const { budget, clock } = this.#parts
    if (this.#over !== undefined || this.#earlyBytes + payload.length > mostEarlyBytes) return
    if (!budget.take(payload.length)) return
    this.#earlyBytes += payload.length
    this.#early.push({ payload, steady: clock.steady(), wall: clock.wall() })
  }

  /** Begins a stream; what was kept is the first that it gets. */
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
    for (const { payload, steady, wall } of this.#takeEarly()) stream.audio(payload, steady, wall)
    if (this.#over !== undefined) stream.end('disconnected')
    return stream
  }

  /** The connection is over: ends what its protocol has not ended. Resolves when all of it is stored. */
  over(more: Readonly<Record<string, unknown>>): Promise<void> {
    this.#over ??= this.#endAll(more)
    return this.#over
  }

  async #endAll(more: Readonly<Record<string, unknown>>): Promise<void> {
    this.#takeEarly()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onAllEnded = resolve
    if (this.#open.size === 0) resolve()
    for (const stream of this.#open) stream.end('disconnected', more)
    await promise
  }

  #takeEarly(): readonly EarlyAudio[] {
    this.#parts.budget.give(this.#earlyBytes)
    this.#earlyBytes = 0
    return this.#early.splice(0)
  }
}
