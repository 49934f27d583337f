// One packet a POST over many keep-alive connections: each waiting for its answer before the next (closed loop),
// or at a rate of its own, whatever the answers (open loop). A packet that was refused is sent again by the next
// request for its call, as a PBX does.
import { Histogram, type HistogramCounts } from '../statistics.ts'
import { epochNow, readOptions, report, startOwnCpuMeter, untilGo } from './harness.ts'
import { HttpSocket } from './http-socket.ts'

export type PostOptions = {
  readonly port: number
  /** Call ids begin with it. */
  readonly run: string
  readonly connections: number
  readonly calls: number
  readonly seconds: number
  /** Requests a second; without it the loop is closed. */
  readonly rate?: number
  /** After so many packets a call is completed and another one begins in its place; without it calls go on. */
  readonly packetsPerCall?: number
}

/** What happened in a tenth of a second, by the time of the answers. */
export type PostBin = {
  /** When it began, in milliseconds since 1970. */
  readonly at: number
  readonly accepted: number
  readonly shed: number
  readonly worstMs: number
}

export type PostFigures = {
  readonly seconds: number
  /** Answers 202, and how many packets they acknowledged. */
  readonly accepted: number
  /** Answers 503. */
  readonly shed: number
  /** All other answers, and broken connections. */
  readonly other: number
  /** Requests that were due when no connection was free: the open loop could not be kept. */
  readonly unsent: number
  readonly acceptedMs: HistogramCounts
  readonly shedMs: HistogramCounts
  readonly bins: readonly PostBin[]
  readonly completed: number
  readonly cpuSeconds: number
}

const binMs = 100
// 20 ms of G.711: 160 bytes, in base64.
const data = Buffer.alloc(160, 0xd5).toString('base64')

const options = readOptions<PostOptions>()
const { port, run, connections, calls, seconds, rate } = options
const packetsPerCall = options.packetsPerCall ?? Number.POSITIVE_INFINITY
const sequences = new Array<number>(calls).fill(0)
/** How many calls were completed in each place. */
const generations = new Array<number>(calls).fill(0)
const latency = { accepted: new Histogram(), shed: new Histogram() }
const counts = { accepted: 0, shed: 0, other: 0, unsent: 0, completed: 0 }
const bins = Array.from({ length: Math.ceil(seconds * (1_000 / binMs)) + 100 }, () => ({
  accepted: 0,
  shed: 0,
  worstMs: 0,
}))

type Connection = { readonly socket: HttpSocket; readonly first: number; call: number }
const all = Array.from(
  { length: connections },
  (_, first): Connection => ({ socket: new HttpSocket(port), first, call: first % calls }),
)
for (let start = 0; start < connections; start += 100)
  await Promise.all(all.slice(start, start + 100).map(({ socket }) => socket.connect()))

await untilGo()
const stopCpu = startOwnCpuMeter()
const startedAt = epochNow()
const began = performance.now()
const end = began + seconds * 1_000
await (rate === undefined ? closedLoop() : openLoop(rate))
const elapsed = (performance.now() - began) / 1_000

report({
  seconds: elapsed,
  ...counts,
  acceptedMs: latency.accepted.counts(),
  shedMs: latency.shed.counts(),
  bins: bins.map((bin, place) => ({ at: startedAt + place * binMs, ...bin })),
  cpuSeconds: stopCpu(),
} satisfies PostFigures)

/** Sends the next packet of the connection's next call. */
function send(connection: Connection, onAnswer: () => void): void {
  // Connections share no call, so the packets of a call come in order.
  const next = connection.call + connections
  connection.call = next < calls ? next : connection.first % calls
  const { call } = connection
  const callId = `${run}-${call}-${generations[call]}`
  const sequence = (sequences[call] ?? 0) + 1
  if (sequence > packetsPerCall) {
    complete(connection, call, callId, onAnswer)
    return
  }
  const body = `{"sequence":${sequence},"data":"${data}","timestamp":${1732147200 + sequence / 50}}`
  const sentAt = performance.now()
  connection.socket.post(`/v1/call/stream/${callId}`, body, (status) => {
    const now = performance.now()
    const bin = bins[Math.floor((now - began) / binMs)]
    if (bin !== undefined) bin.worstMs = Math.max(bin.worstMs, now - sentAt)
    if (status === 202) {
      sequences[call] = sequence
      counts.accepted += 1
      latency.accepted.record(now - sentAt)
      if (bin !== undefined) bin.accepted += 1
    } else if (status === 503) {
      counts.shed += 1
      latency.shed.record(now - sentAt)
      if (bin !== undefined) bin.shed += 1
    } else counts.other += 1
    onAnswer()
  })
}

function complete(
  { socket }: Connection,
  call: number,
  callId: string,
  onAnswer: () => void,
): void {
  socket.post(`/v1/call/complete/${callId}`, '', (status) => {
    if (status === 200) {
      counts.completed += 1
      generations[call] = (generations[call] ?? 0) + 1
      sequences[call] = 0
    } else counts.other += 1
    onAnswer()
  })
}

function closedLoop(): Promise<unknown> {
  return Promise.all(
    all.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = () => {
            if (performance.now() >= end) resolve()
            else send(connection, next)
          }
          next()
        }),
    ),
  )
}

async function openLoop(perSecond: number): Promise<void> {
  const idle = [...all]
  let issued = 0
  while (performance.now() < end) {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond)
    for (; issued < due; issued += 1) {
      const connection = idle.pop()
      if (connection === undefined) counts.unsent += 1
      else send(connection, () => idle.push(connection))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const patience = performance.now() + 10_000
  while (idle.length < connections && performance.now() < patience)
    await new Promise((resolve) => setTimeout(resolve, 5))
}
