// One stream of media on its way to the ledger. Its protocol is never made to wait: what comes while the database
// is asked where the call stands is kept, within the budget of the process. Packets without numbers get theirs
// here, in the order of their arrival.
import type { SilenceCause, StreamEnd } from '../../calls/media-streams.ts'
import { GatewayError } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { durationMs, sampleBytes } from '../../ledger/media-format.ts'
import type { Packet, PacketReceipt, PacketSender, TrackName } from '../../ledger/packet.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type ClockGap, ClockGaps } from './clock-gaps.ts'
import { Interleaved } from './interleaved.ts'
import type { MediaBudget } from './media-budget.ts'
import type { MediaStream, NumberedPacket, StreamStart } from './protocol.ts'
import type { Silence, StreamRecord } from './stream-record.ts'

/** The time, in milliseconds. */
export type MediaClock = {
  /** Since 1970. */
  readonly wall: () => number
  /** Never goes back. */
  readonly steady: () => number
}

/** What a stream needs. */
export type LedgerStreamOptions = {
  readonly start: StreamStart
  readonly record: StreamRecord
  readonly ledger: Pick<Ledger, 'append'>
  readonly budget: MediaBudget
  readonly clock: MediaClock
  readonly logger: Logger
  /** Called when everything that came on the stream is settled, and its end is stored. */
  readonly onEnded: () => void
}

/** Audio on its way to a call. */
type Numbered = {
  readonly track: TrackName
  /** Counted from 1 on each track of the stream. */
  readonly number: number
  /** Seconds. */
  readonly at: number
  readonly payload: Uint8Array
  readonly silences: readonly Pick<Silence, 'milliseconds' | 'cause'>[]
}

/** One track of the stream. */
type Channel = {
  /** Added to a number to get its sequence in the call. */
  base: number
  /** Of the packets without numbers of their own. */
  came: number
  /** Milliseconds from its last packet until the stream was opened; null when there was none, or no more to tell. */
  quietMs: number | null
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
  readonly #gaps: ClockGaps | undefined
  readonly #channels: ReadonlyMap<TrackName, Channel>
  #state: State = 'opening'
  #callId = ''
  #openedAt = 0
  /** What came while the stream was not open. */
  #waiting: Numbered[] = []
  #notes: (() => void)[] = []
  #unsettled = 0
  #pausedAt: number | undefined
  #silences: Numbered['silences'] = []
  #end: End | undefined
  #isFinishing = false

  constructor(options: LedgerStreamOptions) {
    const { format, channels, loss } = options.start
    this.#options = options
    this.#interleaved = new Interleaved(channels.length, sampleBytes(format.encoding) ?? 1)
    this.#gaps = loss === 'clock' ? new ClockGaps() : undefined
    this.#channels = new Map(channels.map((track) => [track, { base: 0, came: 0, quietMs: null }]))
    void this.#open()
  }

  audio(payload: Uint8Array): void {
    if (this.#end !== undefined) return
    const parts = this.#interleaved.split(payload)
    const first = parts[0]
    if (first === undefined) return
    const { start, clock, budget } = this.#options
    const duration = durationMs(start.format, first)
    if (!budget.take(parts.length * first.length)) {
      // By the clock it is missed without being told.
      if (start.loss === 'reported') this.missing(duration, 'overload')
      return
    }
    const gap = this.#gaps?.took(clock.steady(), duration)
    if (gap !== undefined) this.#tellGap(gap)
    const at = clock.wall() / 1_000
    const silences = this.#silences
    this.#silences = []
    for (const [index, part] of parts.entries()) {
      const track = start.channels[index]
      const channel = track === undefined ? undefined : this.#channels.get(track)
      if (track === undefined || channel === undefined) continue
      channel.came += 1
      this.#take({ track, number: channel.came, at, payload: part, silences })
    }
  }

  packet(packet: NumberedPacket): void {
    if (this.#end !== undefined || !this.#channels.has(packet.track)) return
    // Without room for it, its number will be missing.
    if (packet.payload.length === 0 || !this.#options.budget.take(packet.payload.length)) return
    this.#take({ ...packet, silences: [] })
  }

  missing(milliseconds: number, cause: SilenceCause): void {
    if (milliseconds > 0) this.#silences = [...this.#silences, { milliseconds, cause }]
  }

  paused(): void {
    if (this.#pausedAt !== undefined) return
    this.#pausedAt = this.#options.clock.steady()
    this.note('paused')
  }

  resumed(): void {
    if (this.#pausedAt === undefined) return
    const milliseconds = this.#options.clock.steady() - this.#pausedAt
    this.#pausedAt = undefined
    this.note('resumed')
    if (this.#gaps === undefined) return
    this.#gaps.resume()
    this.missing(milliseconds, 'paused')
  }

  dtmf(digit: string, more: Readonly<Record<string, unknown>> = {}): void {
    this.note('dtmf', { ...more, digit })
  }

  note(event: string, more?: Readonly<Record<string, unknown>>): void {
    if (this.#end !== undefined) return
    const { record } = this.#options
    if (this.#state === 'open') record.note(event, more)
    else if (this.#notes.length < mostNotes) this.#notes.push(() => record.note(event, more))
  }

  stopped(more: Readonly<Record<string, unknown>> = {}): void {
    this.end('stopped', more)
  }

  /** Ends the stream; the first end counts. */
  end(by: StreamEnd, more: Readonly<Record<string, unknown>> = {}): void {
    this.#end ??= { by, more }
    this.#goOn()
  }

  settled(packet: Packet, outcome: PacketReceipt | GatewayError): void {
    const { budget, ledger, logger } = this.#options
    if (outcome instanceof GatewayError && outcome.code === 'call_locked') {
      setTimeout(() => ledger.append(packet, this), lockedPauseMs)
      return
    }
    this.#unsettled -= 1
    if (outcome instanceof GatewayError && outcome.code === 'call_sealed') {
      const { track, sequence, timestamp: at, payload } = packet
      const number = sequence - (this.#channels.get(track)?.base ?? 0)
      this.#waiting.push({ track, number, at, payload, silences: [] })
      this.#state = 'over'
    } else {
      budget.give(packet.payload.length)
      if (outcome instanceof GatewayError)
        logger.warn({ call_id: packet.callId, code: outcome.code }, 'a packet of media was lost')
    }
    if (this.#unsettled === 0) this.#goOn()
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
      const { call_id, bases, quiet_ms } = await record.open()
      const isFirst = this.#callId === ''
      this.#waiting.sort((one, other) => one.number - other.number)
      for (const [index, track] of start.channels.entries()) {
        const channel = this.#channels.get(track)
        if (channel === undefined) continue
        // In a call of its own, what is left of the stream is counted from 1 again.
        const next = this.#waiting.find((packet) => packet.track === track)?.number
        channel.base = (bases[index] ?? 0) - (isFirst ? 0 : (next ?? channel.came + 1) - 1)
        channel.quietMs = quiet_ms[index] ?? null
      }
      this.#openedAt = clock.steady()
      this.#callId = call_id
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

  #take(packet: Numbered): void {
    if (this.#state === 'open') this.#append(packet)
    else this.#waiting.push(packet)
  }

  #append({ track, number, at, payload, silences }: Numbered): void {
    const channel = this.#channels.get(track)
    if (channel === undefined) return
    const { record, ledger, start, clock } = this.#options
    const sequence = channel.base + number
    if (channel.quietMs !== null) {
      const sinceOpen = clock.steady() - this.#openedAt - durationMs(start.format, payload)
      const milliseconds = Math.max(Math.round(channel.quietMs + sinceOpen), 1)
      channel.quietMs = null
      record.silences([{ track, beforeSequence: sequence, milliseconds, cause: 'reconnect' }])
    }
    if (silences.length > 0)
      record.silences(silences.map((silence) => ({ ...silence, track, beforeSequence: sequence })))
    this.#unsettled += 1
    const callId = this.#callId
    ledger.append({ callId, track, sequence, timestamp: at, encoding: 'binary', payload }, this)
  }

  #tellGap({ packet, milliseconds }: ClockGap): void {
    if (this.#state !== 'open') {
      this.missing(milliseconds, 'clock')
      return
    }
    this.#options.record.silences(
      [...this.#channels]
        .filter(([, { base }]) => base + packet >= 0)
        .map(([track, { base }]) => ({
          track,
          beforeSequence: base + packet + 1,
          milliseconds,
          cause: 'clock',
        })),
    )
  }

  async #finish({ by, more }: End): Promise<void> {
    for (let gap = this.#gaps?.end(); gap !== undefined; gap = this.#gaps?.end()) this.#tellGap(gap)
    try {
      await this.#options.record.end(by, more)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the end of a stream of media was not kept')
    }
    this.#options.onEnded()
  }
}
