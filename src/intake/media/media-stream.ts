// One stream of media on its way to the ledger. Its protocol is never made to wait: what comes while the database
// is asked where the call stands is kept, within the budget of the process. Packets without numbers get theirs
// here, in the order of their arrival.
import { bytesOf, rangeOf, sizeOf } from '../../byte-range.ts'
import type { SilenceCause, StreamEnd } from '../../calls/media-streams.ts'
import { GatewayError } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { durationMs, sampleBytes } from '../../ledger/media-format.ts'
import type { Packet, PacketReceipt, PacketRun, PacketSender } from '../../ledger/packet.ts'
import { eachPacket } from '../../ledger/packet-group.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { ArrivalLosses, noSilences, type Silences } from './arrival-losses.ts'
import type { ClockGap } from './clock-gaps.ts'
import { Interleaved } from './interleaved.ts'
import type { MediaBudget } from './media-budget.ts'
import type { MediaStream, NumberedPacket, StreamStart } from './protocol.ts'
import type { StreamRecord } from './stream-record.ts'
import { StreamSilences } from './stream-silences.ts'
import { StreamTracks } from './stream-tracks.ts'

/** The time, in milliseconds. */
export type MediaClock = {
  /** Since 1970. */
  readonly wall: () => number
  /** Never goes back. */
  readonly steady: () => number
}

/** Takes out of a key press what must not be written. */
export type RedactKeys = (keys: { readonly digit: string }) => { readonly digit: string }

/** What a stream needs. */
export type LedgerStreamOptions = {
  readonly start: StreamStart
  readonly record: Pick<StreamRecord, 'open' | 'silences' | 'shorten' | 'note' | 'end'>
  readonly ledger: Pick<Ledger, 'append'>
  readonly budget: MediaBudget
  readonly clock: MediaClock
  /** Takes out of a key press what must not be written. */
  readonly redactKeys?: RedactKeys
  readonly logger: Logger
  /** Called when everything that came on the stream is settled, and its end is stored. */
  readonly onEnded: () => void
}

/** Audio on its way to a call. */
type Numbered = NumberedPacket & {
  /** When it came, in milliseconds of the steady clock. */
  readonly came: number
  readonly silences: Silences
}

type End = { readonly by: StreamEnd; readonly more: Readonly<Record<string, unknown>> }

/**
 * - `opening`: the database is asked where the call stands
 * - `open`: packets go to the ledger
 * - `over`: the ledger said that the call is over; what it refused goes to a call of its own
 */
type State = 'opening' | 'open' | 'over'

/** A stream that says more than that before it is open is not heard in full. */
const mostNotes = 1_000
const lockedPauseMs = 100

/** A stream on its way to the ledger. */
export class LedgerStream implements MediaStream, PacketSender {
  readonly #options: LedgerStreamOptions
  readonly #interleaved: Interleaved
  readonly #losses: ArrivalLosses
  readonly #tracks: StreamTracks
  readonly #silences: StreamSilences
  #state: State = 'opening'
  #callId = ''
  /** What came while the stream was not open. */
  #waiting: Numbered[] = []
  #notes: (() => void)[] = []
  #unsettled = 0
  #end: End | undefined
  #isFinishing = false

  constructor(options: LedgerStreamOptions) {
    const { start, record } = options
    const { format, channels, loss } = start
    this.#options = options
    this.#interleaved = new Interleaved(channels.length, sampleBytes(format.encoding) ?? 1)
    this.#losses = new ArrivalLosses(loss === 'clock')
    this.#tracks = new StreamTracks(channels)
    this.#silences = new StreamSilences(record, channels, this.#tracks)
    void this.#open()
  }

  /**
   * Audio that came now, or at another time.
   * @param came by the steady clock
   * @param wall the same, by the other one
   */
  audio(
    payload: Uint8Array,
    came = this.#options.clock.steady(),
    wall = this.#options.clock.wall(),
  ): void {
    if (this.#end !== undefined) return
    const parts = this.#interleaved.split(payload)
    const [first] = parts
    if (first === undefined) return
    const { start, budget } = this.#options
    const duration = durationMs(start.format, first)
    if (!budget.take(parts.length * first.length)) {
      // By the clock it is missed without being told.
      if (start.loss === 'reported') this.missing(duration, 'overload')
      return
    }
    this.#tellGaps(this.#losses.took(came, duration))
    const silences = this.#losses.takeSilences()
    for (const [index, part] of parts.entries()) {
      const track = start.channels[index]
      if (track === undefined) continue
      const number = this.#tracks.next(track)
      this.#take({ track, number, at: wall / 1_000, came, payload: part, silences })
    }
  }

  packet(packet: NumberedPacket): void {
    const { track, number, payload } = packet
    if (this.#end !== undefined || !this.#tracks.has(track)) return
    // Without room for it, its number will be missing.
    if (payload.length === 0 || !this.#options.budget.take(payload.length)) return
    this.#tracks.saw(track, number)
    this.#take({ ...packet, came: this.#options.clock.steady(), silences: noSilences })
  }

  missing(milliseconds: number, cause: SilenceCause): void {
    this.#losses.missing(milliseconds, cause)
  }

  paused(): void {
    if (!this.#losses.pause(this.#options.clock.steady())) return
    this.#tellGaps(this.#losses.rest())
    this.note('paused')
  }

  resumed(): void {
    if (this.#losses.resume(this.#options.clock.steady())) this.note('resumed')
  }

  dtmf(digit: string, more: Readonly<Record<string, unknown>> = {}): void {
    const { redactKeys = (keys) => keys } = this.#options
    this.note('dtmf', redactKeys({ ...more, digit }))
  }

  note(event: string, more?: Readonly<Record<string, unknown>>): void {
    if (this.#end === undefined) this.#whenOpen(() => this.#options.record.note(event, more))
  }

  stopped(more: Readonly<Record<string, unknown>> = {}): void {
    this.end('stopped', more)
  }

  /** Ends the stream; the first end counts. */
  end(by: StreamEnd, more: Readonly<Record<string, unknown>> = {}): void {
    this.#end ??= { by, more }
    this.#goOn()
  }

  settled(packets: PacketRun, outcome: PacketReceipt | GatewayError): void {
    const { budget, ledger, logger } = this.#options
    const refusal = outcome instanceof GatewayError ? outcome.code : undefined
    if (refusal === 'call_locked') {
      const again = { ...packets, ...rangeOf(Buffer.from(bytesOf(packets))) }
      const append = (packet: Packet) => void ledger.append(packet, this)
      setTimeout(() => eachPacket([again], append), lockedPauseMs)
      return
    }
    const { callId: call_id, timestamps } = packets
    this.#unsettled -= timestamps.length
    if (refusal === 'call_sealed') {
      eachPacket([packets], (packet) => this.#takeBack(packet))
      this.#state = 'over'
    } else {
      budget.give(sizeOf(packets))
      if (refusal !== undefined)
        logger.warn({ call_id, packets: timestamps.length, code: refusal }, 'media was lost')
    }
    this.#goOn()
  }

  /** Keeps a packet of a call that is over for the next one. */
  #takeBack(packet: Packet): void {
    const { track, sequence, timestamp: at } = packet
    const number = this.#tracks.numberOf(track, sequence)
    const came = this.#options.clock.steady()
    const payload = Buffer.from(bytesOf(packet))
    this.#waiting.push({ track, number, at, came, payload, silences: noSilences })
  }

  /** Takes the next step of a stream that is not in the midst of things. */
  #goOn(): void {
    if (this.#unsettled > 0 || this.#state === 'opening' || this.#isFinishing) return
    if (this.#state === 'over') {
      this.#state = 'opening'
      void this.#open()
    } else if (this.#end !== undefined) {
      this.#isFinishing = true
      void this.#finish(this.#end)
    }
  }

  async #open(): Promise<void> {
    const { record, start, clock, logger, onEnded } = this.#options
    try {
      const entry = await record.open()
      this.#waiting.sort((one, other) => one.number - other.number)
      const firsts = new Map(this.#waiting.toReversed().map(({ track, number }) => [track, number]))
      this.#tracks.enter(entry, firsts, clock.steady())
      this.#silences.enter()
      this.#callId = entry.call_id
      this.#state = 'open'
    } catch (error) {
      logger.error({ err: error, call_id: start.callId }, 'a stream of media was not begun')
      this.#end ??= { by: 'disconnected', more: {} }
      for (const { payload } of this.#waiting.splice(0)) this.#options.budget.give(payload.length)
      onEnded()
      return
    }
    for (const note of this.#notes.splice(0)) note()
    for (const packet of this.#waiting.splice(0)) this.#append(packet)
    this.#goOn()
  }

  #whenOpen(run: () => void): void {
    if (this.#state === 'open') run()
    else if (this.#notes.length < mostNotes) this.#notes.push(run)
  }

  #take(packet: Numbered): void {
    if (this.#state === 'open') this.#append(packet)
    else this.#waiting.push(packet)
  }

  #append({ track, number, at, came, payload, silences }: Numbered): void {
    const { ledger, budget, start } = this.#options
    const sequence = this.#tracks.sequenceOf(track, number)
    if (sequence < 0) {
      budget.give(payload.length)
      return
    }
    this.#silences.before(track, number, came - durationMs(start.format, payload), silences)
    this.#unsettled += 1
    const callId = this.#callId
    const range = rangeOf(payload)
    ledger.append({ callId, track, sequence, timestamp: at, encoding: 'binary', ...range }, this)
  }

  #tellGaps(gaps: readonly ClockGap[]): void {
    for (const gap of gaps) this.#whenOpen(() => this.#silences.found(gap))
  }

  async #finish({ by, more }: End): Promise<void> {
    this.#tellGaps(this.#losses.rest())
    this.#silences.atEnd(this.#losses.takeSilences())
    try {
      await this.#options.record.end(by, more)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the end of a stream of media was not kept')
    }
    this.#options.onEnded()
  }
}
