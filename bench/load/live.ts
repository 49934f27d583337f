// Calls as they live: each on a WebSocket of its own, or many on one, a packet every 20 ms by a steady clock that
// waits for nobody. The lag of a packet is from its sending until the ack that covers it was read.
import { Histogram, type HistogramCounts } from '../statistics.ts'
import { binaryFrame, renumber, textFrame } from './frames.ts'
import { readOptions, report, startOwnCpuMeter, untilGo } from './harness.ts'
import { openWebSocket } from './web-socket.ts'

export type LiveOptions = {
  readonly port: number
  /** Call ids begin with it. */
  readonly run: string
  readonly calls: number
  /** 1: each call has a socket of its own, and each packet is a write. Else those due at once are one write. */
  readonly callsPerSocket?: number
  readonly packetsPerSecond: number
  readonly seconds: number
}

export type LiveFigures = {
  readonly sent: number
  readonly acknowledged: number
  /** For each second of sending, the lag of its packets. */
  readonly lagBySecond: readonly HistogramCounts[]
  /** How much later than due packets were sent. */
  readonly lateness: HistogramCounts
  readonly maxLagMs: number
  /** From the start until the last ack. */
  readonly seconds: number
  readonly cpuSeconds: number
}

type Ack = {
  readonly type: string
  readonly call_id: string
  readonly through: number
  readonly packets: number
}

type Call = {
  send: (sequence: number, now: number) => void
}

/** A socket and its calls, by their ids. */
type Line = {
  readonly calls: readonly Call[]
  /** Writes what was sent since. */
  flush: () => void
  close: () => void
}

const patienceMs = 15_000
const {
  port,
  run,
  calls,
  callsPerSocket = 1,
  packetsPerSecond,
  seconds,
} = readOptions<LiveOptions>()
const perCall = packetsPerSecond * seconds
const lagBySecond = Array.from({ length: seconds }, () => new Histogram())
const lateness = new Histogram()
let acknowledged = 0
let maxLagMs = 0
let began = 0
let broken: string | undefined

class LiveCall {
  readonly id: string
  readonly channel: number
  readonly #sentAt = new Float64Array(perCall + 1)
  #settled = 0
  #frame: Buffer

  constructor(number: number, channel: number) {
    this.id = `${run}-${number}`
    this.channel = channel
    this.#frame = binaryFrame(1, channel)
  }

  /** @param isKept what was built before may not be changed: it is not written yet */
  frameOf(sequence: number, now: number, isKept: boolean): Buffer {
    if (isKept) this.#frame = Buffer.from(this.#frame)
    renumber(this.#frame, sequence)
    this.#sentAt[sequence] = now
    return this.#frame
  }

  hear(through: number): void {
    const now = performance.now()
    for (let sequence = this.#settled + 1; sequence <= through; sequence += 1) {
      const at = this.#sentAt[sequence] ?? 0
      lagBySecond[Math.min(seconds - 1, Math.floor((at - began) / 1_000))]?.record(now - at)
      maxLagMs = Math.max(maxLagMs, now - at)
    }
    acknowledged += through - this.#settled
    this.#settled = through
  }
}

const lines: Line[] = []
for (let first = 0; first < calls; first += callsPerSocket)
  lines.push(await openLine(first, Math.min(callsPerSocket, calls - first)))
// Those whose turns follow one another are on different sockets.
const all: Call[] = []
for (let place = 0; place < callsPerSocket; place += 1)
  for (const line of lines) all.push(...line.calls.slice(place, place + 1))
await untilGo()
const stopCpu = startOwnCpuMeter()
began = performance.now()

// Packet n of all is due n / (calls * packetsPerSecond) s after the start: the calls take turns.
const total = calls * perCall
const everyMs = 1_000 / (calls * packetsPerSecond)
let sent = 0
while (sent < total && broken === undefined) {
  const now = performance.now()
  const due = Math.min(total, Math.floor((now - began) / everyMs) + 1)
  for (; sent < due; sent += 1) {
    lateness.record(now - began - sent * everyMs)
    all[sent % calls]?.send(Math.floor(sent / calls) + 1, now)
  }
  for (const line of lines) line.flush()
  await new Promise((resolve) => setTimeout(resolve, 1))
}
const sendingEnded = performance.now()
while (acknowledged < sent && performance.now() < sendingEnded + patienceMs)
  await new Promise((resolve) => setTimeout(resolve, 5))
const elapsed = (performance.now() - began) / 1_000
if (broken !== undefined) throw new Error(broken)
for (const { close } of lines) close()

report({
  sent,
  acknowledged,
  lagBySecond: lagBySecond.map((histogram) => histogram.counts()),
  lateness: lateness.counts(),
  maxLagMs,
  seconds: elapsed,
  cpuSeconds: stopCpu(),
} satisfies LiveFigures)

async function openLine(first: number, count: number): Promise<Line> {
  const members = Array.from({ length: count }, (_, place) => new LiveCall(first + place, place))
  const byId = new Map(members.map((call) => [call.id, call]))
  const path = `/v1/call/stream/${run}-${first}`
  const { socket, close } = await openWebSocket(
    port,
    path,
    (text) => {
      const message = JSON.parse(text) as Ack
      const call = byId.get(message.call_id)
      if (call === undefined || message.type !== 'ack' || message.packets !== message.through)
        broken ??= `the server says ${text}`
      else call.hear(message.through)
    },
    (reason) => {
      broken ??= `a socket broke: ${reason}`
    },
  )
  for (const { id, channel } of members)
    if (channel > 0) socket.write(textFrame(JSON.stringify({ type: 'open', channel, call_id: id })))
  let due: Buffer[] = []
  return {
    calls: members.map((call) => ({
      send: (sequence, now) => {
        const frame = call.frameOf(sequence, now, count > 1 || socket.writableLength > 0)
        if (count > 1) due.push(frame)
        else socket.write(frame)
      },
    })),
    flush: () => {
      if (due.length > 0) socket.write(Buffer.concat(due))
      due = []
    },
    close,
  }
}
