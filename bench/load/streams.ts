// Calls at full speed, each on a connection of its own: over WebSocket with a window of packets that are not
// acknowledged, or as NDJSON in one request that ends with the time.
import { buildWire, slicePieces, type Wire, type WireKind } from './frames.ts'
import { readOptions, report, startOwnCpuMeter, untilGo } from './harness.ts'
import { NdjsonRequest } from './ndjson-request.ts'
import { openWebSocket } from './web-socket.ts'

export type StreamOptions = {
  readonly port: number
  /** Call ids begin with it. */
  readonly run: string
  readonly kind: WireKind
  readonly calls: number
  /** The most packets of a call that are not acknowledged; WebSocket only. */
  readonly window: number
  readonly seconds: number
}

export type StreamFigures = {
  readonly sent: number
  readonly acknowledged: number
  /** From the start to the last acknowledgement. */
  readonly seconds: number
  readonly cpuSeconds: number
}

type Call = { readonly finished: Promise<number>; readonly start: () => void }

/** Packets that are built for each second; a bare server that takes more has a shorter run. */
const mostPerSecond = 12_000
const patienceMs = 60_000

const options = readOptions<StreamOptions>()
const { port, run, kind, window, seconds } = options
const wire: Wire = buildWire(kind, seconds * mostPerSecond)
let end = Number.POSITIVE_INFINITY
let acknowledged = 0

const calls: Call[] = []
for (let call = 0; call < options.calls; call += 1)
  calls.push(await (kind === 'ndjson' ? openRequest(call) : openSocket(call)))

await untilGo()
const stopCpu = startOwnCpuMeter()
const began = performance.now()
end = began + seconds * 1_000
for (const { start } of calls) start()
setTimeout(
  () => {
    throw new Error(`${acknowledged} packets were acknowledged, and then no more`)
  },
  seconds * 1_000 + patienceMs,
)
const sent = await Promise.all(calls.map(({ finished }) => finished))
report({
  sent: sent.reduce((sum, packets) => sum + packets, 0),
  acknowledged,
  seconds: (performance.now() - began) / 1_000,
  cpuSeconds: stopCpu(),
} satisfies StreamFigures)

async function openSocket(call: number): Promise<Call> {
  const { promise: finished, resolve, reject } = Promise.withResolvers<number>()
  let sent = 0
  let settled = 0

  function hear(text: string): void {
    const message = JSON.parse(text) as { type: string; through: number; packets: number }
    if (message.type !== 'ack') {
      reject(new Error(`the server says ${text}`))
      return
    }
    // Sent in order from 1, each once.
    if (message.packets !== message.through || message.through > sent) {
      reject(new Error(`${sent} packets were sent; the server says ${text}`))
      return
    }
    acknowledged += message.packets - settled
    settled = message.packets
    sendMore()
  }

  function sendMore(): void {
    if (performance.now() >= end || sent === wire.ends.length) {
      if (settled < sent) return
      socket.close()
      resolve(sent)
      return
    }
    const upTo = Math.min(settled + window, wire.ends.length)
    socket.socket.write(slicePieces(wire, sent, upTo))
    sent = upTo
  }

  const path = `/v1/call/stream/${run}-${call}`
  const socket = await openWebSocket(port, path, hear, (reason) => reject(new Error(reason)))
  return { finished, start: sendMore }
}

async function openRequest(call: number): Promise<Call> {
  const request = new NdjsonRequest(port, `/v1/call/stream/${run}-${call}`)
  await request.open()
  const { promise: finished, resolve, reject } = Promise.withResolvers<number>()
  const piecesPerWrite = 8

  async function stream(): Promise<void> {
    let pieces = 0
    while (performance.now() < end && pieces < wire.ends.length) {
      const upTo = Math.min(pieces + piecesPerWrite, wire.ends.length)
      await request.write(slicePieces(wire, pieces, upTo))
      pieces = upTo
    }
    const answer = await request.finish()
    const packets = pieces * wire.packetsPerPiece
    if (answer.status !== 202) throw new Error(`the server says ${answer.status} ${answer.body}`)
    const body = JSON.parse(answer.body) as { packets: number; accepted: number }
    if (body.accepted !== packets)
      throw new Error(`${packets} packets were sent; the server says ${answer.body}`)
    acknowledged += body.accepted
    resolve(packets)
  }

  return { finished, start: () => void stream().catch(reject) }
}
