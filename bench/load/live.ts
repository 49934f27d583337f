// Calls as they live: each on a WebSocket of its own, a packet every 20 ms by a steady clock that waits for
// nobody. The lag of a packet is from its sending until the ack that covers it was read.
import { Histogram, type HistogramCounts } from '../statistics.ts'
import { binaryFrame, sequenceOffset, timestampOf, timestampOffset } from './frames.ts'
import { readOptions, report, startOwnCpuMeter, untilGo } from './harness.ts'
import { openWebSocket } from './web-socket.ts'

export type LiveOptions = {
  readonly port: number
  /** Call ids begin with it. */
  readonly run: string
  readonly calls: number
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

type Call = {
  send: (sequence: number, now: number) => void
  close: () => void
}

const patienceMs = 15_000
const { port, run, calls, packetsPerSecond, seconds } = readOptions<LiveOptions>()
const perCall = packetsPerSecond * seconds
const lagBySecond = Array.from({ length: seconds }, () => new Histogram())
const lateness = new Histogram()
let acknowledged = 0
let maxLagMs = 0
let began = 0
let broken: string | undefined

const all: Call[] = []
for (let call = 0; call < calls; call += 1) all.push(await openCall(call))
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
  await new Promise((resolve) => setTimeout(resolve, 1))
}
const sendingEnded = performance.now()
while (acknowledged < sent && performance.now() < sendingEnded + patienceMs)
  await new Promise((resolve) => setTimeout(resolve, 5))
const elapsed = (performance.now() - began) / 1_000
if (broken !== undefined) throw new Error(broken)
for (const { close } of all) close()

report({
  sent,
  acknowledged,
  lagBySecond: lagBySecond.map((histogram) => histogram.counts()),
  lateness: lateness.counts(),
  maxLagMs,
  seconds: elapsed,
  cpuSeconds: stopCpu(),
} satisfies LiveFigures)

async function openCall(number: number): Promise<Call> {
  const sentAt = new Float64Array(perCall + 1)
  let settled = 0
  let frame = binaryFrame(1)

  function hear(text: string): void {
    const message = JSON.parse(text) as { type: string; through: number; packets: number }
    if (message.type !== 'ack' || message.packets !== message.through) {
      broken ??= `the server says ${text}`
      return
    }
    const now = performance.now()
    for (let sequence = settled + 1; sequence <= message.through; sequence += 1) {
      const at = sentAt[sequence] ?? 0
      lagBySecond[Math.min(seconds - 1, Math.floor((at - began) / 1_000))]?.record(now - at)
      maxLagMs = Math.max(maxLagMs, now - at)
    }
    acknowledged += message.through - settled
    settled = message.through
  }

  const path = `/v1/call/stream/${run}-${number}`
  const { socket, close } = await openWebSocket(port, path, hear, (reason) => {
    broken ??= `a socket broke: ${reason}`
  })
  return {
    close,
    send: (sequence, now) => {
      // What the kernel has not taken must stay as it is.
      if (socket.writableLength > 0) frame = Buffer.from(frame)
      frame.writeUInt32BE(sequence, sequenceOffset + 4)
      frame.writeDoubleBE(timestampOf(sequence), timestampOffset)
      sentAt[sequence] = now
      socket.write(frame)
    },
  }
}
