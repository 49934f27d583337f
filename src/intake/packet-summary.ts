// Many packets of one call in one request, as lines or as an array: stored as they arrive, summed up in the end.
import Type, { type Static } from 'typebox'
import { MalformedJson, parseJson } from '../border/json.ts'
import { PartlyDone } from '../border/refusals.ts'
import { compileCheck, InvalidInput, type ValidationProblem } from '../border/validation.ts'
import { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Packet, PacketReceipt, PacketRun, TrackName } from '../ledger/packet.ts'
import { OrderOfArrival } from './order-of-arrival.ts'
import { packetOf, StreamedPacketBody, type StreamedPacketFields } from './packet-body.ts'
import { PacketStream } from './packet-stream.ts'
import { readPlainPacket } from './plain-packet.ts'

/** What became of the packets of a request. */
export const PacketSummary = Type.Object(
  {
    call_id: Type.String(),
    status: Type.Enum(['accepted', 'accepted_with_warning'], { type: 'string' }),
    received_at: Type.String({ format: 'date-time' }),
    packets: Type.Integer({ description: 'How many are settled, in the order of sending' }),
    accepted: Type.Integer({ description: 'Stored by this request' }),
    duplicates: Type.Integer({ description: 'Stored before' }),
    late: Type.Integer({ description: 'Stored, after a higher sequence' }),
    refused: Type.Integer({ description: 'Not stored' }),
    missing_packets: Type.String({
      description: 'What the track of the last packet misses; of more than 100 gaps the newest',
    }),
  },
  { title: 'PacketsAccepted' },
)
export type PacketSummary = Static<typeof PacketSummary>

/** Where the packets go. */
export type PacketSummaryOptions = {
  readonly ledger: Pick<Ledger, 'append'>
  readonly callId: string
  /** Of packets that name none. */
  readonly track: TrackName
  readonly now: () => Date
  /** How long a request waits for a packet to be settled before it is told 503, in milliseconds. */
  readonly patienceMs?: number
}

const check = compileCheck(StreamedPacketBody)
const mostProblemsListed = 100
const usualPatienceMs = 30_000
const longestSettlingMs = 2_000
const newline = 0x0a

/**
 * Stores an array of packets. Resolves when all are settled.
 * @throws PartlyDone with the summary: some are no packets, the call is sealed, the database is gone
 */
export async function storeAll(
  options: PacketSummaryOptions,
  bodies: readonly unknown[],
): Promise<PacketSummary> {
  const sum = new SummedStream(options)
  for (const [place, body] of bodies.entries()) {
    if (sum.isOver) break
    sum.take(place, body)
    if (sum.isPaused) await sum.room()
  }
  return await sum.end()
}

/**
 * Stores packets that come as lines, in memory that does not grow with their number. Resolves when all
 * are settled.
 * @param longestLine in bytes; a longer one is a problem, and is skipped
 * @param leaving resolves when the gateway shuts down: the stream is not read to its end then
 * @throws PartlyDone with the summary: some lines are no packets, the call is sealed, the database is gone,
 * the gateway shuts down
 */
export async function storeLines(
  options: PacketSummaryOptions,
  chunks: AsyncIterable<Buffer>,
  longestLine: number,
  leaving: Promise<void>,
): Promise<PacketSummary> {
  const sum = new SummedStream(options)
  const isCut = await Promise.race([
    takeLines(sum, chunks, longestLine).then(() => false),
    // The sender may pause, and should hear at once.
    sum.failed.then(() => false),
    leaving.then(() => true),
  ])
  return await (isCut ? sum.cut() : sum.end())
}

async function takeLines(
  sum: SummedStream,
  chunks: AsyncIterable<Buffer>,
  longestLine: number,
): Promise<void> {
  let line = 1
  let rest: Buffer | undefined
  let isTooLong = false

  /** Takes a line that ends there in what was read last. */
  function takeLine(chunk: Buffer, start: number, end: number): void {
    if (rest !== undefined) {
      const bytes = Buffer.concat([rest, chunk.subarray(start, end)])
      rest = undefined
      takeLine(bytes, 0, bytes.length)
      return
    }
    if (isTooLong || end - start > longestLine) sum.refuse(line, tooLong(longestLine))
    else sum.takeText(line, chunk, start, end)
    isTooLong = false
    line += 1
  }

  for await (const chunk of chunks) {
    if (sum.isOver) return
    let start = 0
    let end = chunk.indexOf(newline)
    while (end !== -1) {
      takeLine(chunk, start, end)
      start = end + 1
      end = chunk.indexOf(newline, start)
    }
    if (start < chunk.length) {
      const part = chunk.subarray(start)
      rest = rest === undefined ? part : Buffer.concat([rest, part])
      if (rest.length > longestLine) isTooLong = true
      if (isTooLong) rest = Buffer.alloc(0)
    }
    if (sum.isPaused) await sum.room()
  }
  // The last line may have no end.
  if (rest !== undefined && !sum.isOver) takeLine(rest, 0, 0)
}

function tooLong(longestLine: number): ValidationProblem[] {
  const msg = `Line should have at most ${longestLine} bytes`
  return [{ type: 'line_too_long', loc: ['body'], msg, input: null }]
}

class SummedStream {
  readonly #options: PacketSummaryOptions
  readonly #stream: PacketStream
  readonly #order = new OrderOfArrival()
  readonly #problems: ValidationProblem[] = []
  #accepted = 0
  #duplicates = 0
  #late = 0
  #refused = 0
  #isIrregular = false
  #missing = ''
  #failure: GatewayError | undefined
  #isCut = false
  #onProgress: (() => void) | undefined
  readonly #failed = Promise.withResolvers<void>()

  constructor(options: PacketSummaryOptions) {
    this.#options = options
    this.#stream = new PacketStream({
      ledger: options.ledger,
      onSettled: (packets, outcome) => this.#settle(packets, outcome),
      onRoom: () => this.#onProgress?.(),
    })
  }

  get isPaused(): boolean {
    return this.#stream.isPaused
  }

  /** True when something about the call, the database or the gateway forbids to go on. */
  get isOver(): boolean {
    return this.#failure !== undefined || this.#isCut
  }

  /** Resolves when a packet was refused that was one. */
  get failed(): Promise<void> {
    return this.#failed.promise
  }

  /** Takes what is written there. */
  takeText(place: number, bytes: Buffer, start: number, end: number): void {
    const { callId, track } = this.#options
    const packet = readPlainPacket(bytes, callId, track, start, end)
    if (packet?.callId === callId) {
      this.#append(packet)
      return
    }
    const text = bytes.subarray(start, end)
    if (!isBlank(text)) this.#takeJson(place, text)
  }

  #takeJson(place: number, bytes: Buffer): void {
    try {
      this.take(place, parseJson(bytes))
    } catch (error) {
      if (!(error instanceof MalformedJson)) throw error
      const loc = ['body', error.offset]
      this.refuse(place, [{ type: 'json_invalid', loc, msg: error.message, input: null }])
    }
  }

  take(place: number, body: unknown): void {
    const problems = check(body) ?? this.#elsewhere(body as StreamedPacketFields)
    if (problems !== undefined) {
      this.refuse(place, problems)
      return
    }
    const fields = body as StreamedPacketFields
    this.#append(packetOf(this.#options.callId, fields.track ?? this.#options.track, fields))
  }

  #append(packet: Packet): void {
    this.#order.sent(packet.track)
    this.#stream.append(packet)
  }

  refuse(place: number, problems: readonly ValidationProblem[]): void {
    this.#refused += 1
    this.#order.skipped()
    for (const problem of problems) {
      if (this.#problems.length >= mostProblemsListed) return
      this.#problems.push({ ...problem, loc: ['body', place, ...problem.loc.slice(1)] })
    }
  }

  /** A stream is of one call: a line that names another must not be stored under this one. */
  #elsewhere({ call_id }: StreamedPacketFields): ValidationProblem[] | undefined {
    const { callId } = this.#options
    if (call_id === undefined || call_id === callId) return undefined
    const msg = `Input should be ${callId}, the call of the path`
    return [{ type: 'value_error', loc: ['body', 'call_id'], msg, input: call_id }]
  }

  #settle({ track, timestamps }: PacketRun, outcome: PacketReceipt | GatewayError): void {
    const packets = timestamps.length
    this.#order.settled(track, packets)
    if (outcome instanceof GatewayError) {
      this.#refused += packets
      this.#failure ??= outcome
      this.#failed.resolve()
    } else {
      if (outcome.duplicate) this.#duplicates += packets
      else this.#accepted += packets
      if (outcome.late) this.#late += packets
      if (outcome.duplicate || outcome.late || outcome.opensGap) this.#isIrregular = true
      this.#missing = outcome.missing
    }
    if (this.#stream.unsettled === 0) this.#onProgress?.()
  }

  /** Resolves when the stream may go on; a database that gives no sign for too long is a failure. */
  async room(): Promise<void> {
    await this.#progress(() => this.isPaused)
  }

  /** Ends before all was taken; what was taken is settled as far as the database lets it. */
  async cut(): Promise<PacketSummary> {
    this.#isCut = true
    await this.#progress(() => this.#stream.unsettled > 0, longestSettlingMs)
    this.#failure ??= new GatewayError('shutting_down', 'This gateway is shutting down')
    return await this.end()
  }

  async end(): Promise<PacketSummary> {
    await this.#progress(() => this.#stream.unsettled > 0)
    if (this.#failure !== undefined) throw new PartlyDone(this.#failure, this.#summary())
    if (this.#problems.length > 0)
      throw new PartlyDone(new InvalidInput(this.#problems), this.#summary())
    return this.#summary()
  }

  async #progress(
    isWaiting: () => boolean,
    patienceMs = this.#options.patienceMs ?? usualPatienceMs,
  ): Promise<void> {
    while (isWaiting() && this.#failure === undefined) {
      const before = this.#stream.unsettled
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onProgress = resolve
      const timer = setTimeout(() => {
        if (this.#stream.unsettled === before)
          this.#failure = new GatewayError('database_unavailable', 'The database does not answer')
        resolve()
      }, patienceMs)
      await promise
      clearTimeout(timer)
      this.#onProgress = undefined
    }
  }

  #summary(): PacketSummary {
    const isWarning = this.#isIrregular || this.#refused > 0
    return {
      call_id: this.#options.callId,
      status: isWarning ? 'accepted_with_warning' : 'accepted',
      received_at: this.#options.now().toISOString(),
      packets: this.#order.settledFromTheFirst(),
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      late: this.#late,
      refused: this.#refused,
      missing_packets: this.#missing,
    }
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
