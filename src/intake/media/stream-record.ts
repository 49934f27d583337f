// What a stream of media writes besides its packets: its beginning, its end, silences and events. In order, one at a
// time, and again until the database has taken it; the audio does not wait for it.
import { setTimeout as pause } from 'node:timers/promises'
import {
  endMediaStream,
  noteMediaEvent,
  recordSilences,
  type SilenceCause,
  type StartedStream,
  type StreamEnd,
  startMediaStream,
} from '../../calls/media-streams.ts'
import type { Pool } from '../../database/pool.ts'
import type { TrackName } from '../../ledger/packet.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { insist } from './insist.ts'
import type { StreamStart } from './protocol.ts'
import { shortenSilences } from './statements.ts'

/** What the record needs. */
export type StreamRecordOptions = {
  readonly pool: Pool
  readonly packetTimeoutSeconds: number
  readonly reconnectSeconds: number
  readonly graceSeconds: number
  /** Called after a write: there are events to publish. */
  readonly onEvents: () => void
  /** Called when a call was completed. */
  readonly onCompleted: () => void
  readonly logger: Logger
}

/** Time without audio in front of a packet of a track. */
export type Silence = {
  readonly track: TrackName
  readonly beforeSequence: number
  readonly milliseconds: number
  readonly cause: SilenceCause
}

const rivalPauseMs = 250
const rivalPatience = 12
/** A stream that says more than that while the database is away is not heard in full. */
const mostWaiting = 1_000

/** The record of one stream, of one protocol. */
export class StreamRecord {
  readonly #options: StreamRecordOptions
  readonly #protocol: string
  readonly #start: StreamStart
  #stream: StartedStream | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(options: StreamRecordOptions, protocol: string, start: StreamStart) {
    this.#options = options
    this.#protocol = protocol
    this.#start = start
  }

  /** Begins the stream, or ends it and begins it anew in a call of its own when its call is over. */
  async open(): Promise<StartedStream> {
    if (this.#stream !== undefined) await this.end('disconnected', { reason: 'the call is over' })
    const { callId, streamId, channels, format, loss, metadata = {} } = this.#start
    const clock = loss === 'numbers' ? 'sender' : 'arrival'
    for (let attempt = 1; ; attempt += 1) {
      const [started] = await insist(() =>
        startMediaStream(
          this.#options.pool,
          callId,
          this.#protocol,
          streamId.replaceAll('\0', '\ufffd'),
          channels,
          toJsonb({ ...format, clock }),
          loss === 'numbers',
          toJsonb(metadata),
          this.#options.packetTimeoutSeconds,
          attempt > rivalPatience,
        ),
      )
      if (started !== undefined) {
        this.#stream = started
        return started
      }
      await pause(rivalPauseMs, undefined, { ref: false })
    }
  }

  /** Keeps silences; they are written after what was noted before. */
  silences(silences: readonly Silence[]): void {
    this.#write(recordSilences, silences)
  }

  /** Shortens silences that were kept; to 0: there was none. */
  shorten(silences: readonly Silence[]): void {
    this.#write(shortenSilences, silences)
  }

  /** Tells those who watch the call of an event. */
  note(event: string, more: Readonly<Record<string, unknown>> = {}): void {
    const data = toJsonb({ ...more, event })
    this.#then((call) => noteMediaEvent(this.#options.pool, call, data))
  }

  /** Ends the stream, after all that was noted before. */
  async end(by: StreamEnd, more: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#last
    const { stream } = this.#stream ?? {}
    if (stream === undefined) return
    const { pool, reconnectSeconds, graceSeconds, onCompleted, onEvents } = this.#options
    const data = toJsonb(more)
    const [ended] = await insist(() =>
      endMediaStream(pool, stream, by, data, reconnectSeconds, graceSeconds),
    )
    if (ended?.completed === true) onCompleted()
    else onEvents()
  }

  #write(write: typeof recordSilences, silences: readonly Silence[]): void {
    if (silences.length === 0) return
    this.#then((call) =>
      write(
        this.#options.pool,
        call,
        silences.map(({ track }) => track),
        silences.map(({ beforeSequence }) => beforeSequence),
        silences.map(({ milliseconds }) => milliseconds),
        silences.map(({ cause }) => cause),
      ),
    )
  }

  #then(write: (call: number) => Promise<unknown>): void {
    const call = this.#stream?.call
    if (call === undefined || this.#waiting >= mostWaiting) return
    this.#waiting += 1
    this.#last = this.#last.then(async () => {
      try {
        await insist(() => write(call))
        this.#options.onEvents()
      } catch (error) {
        this.#options.logger.error({ err: error }, 'what a stream said was not kept')
      }
      this.#waiting -= 1
    })
  }
}

/** JSON without what PostgreSQL's texts cannot hold: zero characters, and halves of surrogate pairs. */
function toJsonb(value: unknown): string {
  return JSON.stringify(value).replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (text) =>
    text.length > 2 ? '\ufffd' : text,
  )
}
