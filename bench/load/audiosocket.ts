// AudioSocket calls as they live: a TCP connection each, a frame of 20 ms (320 bytes of linear PCM) every 20 ms by a
// steady clock. What the other side says is read and forgotten.
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Histogram, type HistogramCounts } from '../statistics.ts'
import { readOptions, report, startOwnCpuMeter, untilGo } from './harness.ts'

export type AudioSocketOptions = {
  readonly port: number
  readonly calls: number
  readonly seconds: number
}

export type AudioSocketFigures = {
  readonly sent: number
  /** The ids of the calls. */
  readonly callIds: readonly string[]
  /** How much later than due frames were sent. */
  readonly lateness: HistogramCounts
  /** From the first frame to the last. */
  readonly seconds: number
  readonly cpuSeconds: number
}

const framesPerSecond = 50
const { port, calls, seconds } = readOptions<AudioSocketOptions>()
const frame = Buffer.alloc(323)
frame.writeUInt8(0x10, 0)
frame.writeUInt16BE(320, 1)
for (let sample = 0; sample < 160; sample += 1)
  frame.writeInt16LE(Math.round(8_000 * Math.sin((sample * 2 * Math.PI) / 40)), 3 + sample * 2)

let broken: string | undefined
const lateness = new Histogram()
const callIds = Array.from({ length: calls }, () => randomUUID())
const sockets: Socket[] = []
for (const callId of callIds) sockets.push(await open(callId))
await untilGo()
const stopCpu = startOwnCpuMeter()
const began = performance.now()

const total = calls * framesPerSecond * seconds
const everyMs = 1_000 / (calls * framesPerSecond)
let sent = 0
while (sent < total && broken === undefined) {
  const now = performance.now()
  const due = Math.min(total, Math.floor((now - began) / everyMs) + 1)
  for (; sent < due; sent += 1) {
    lateness.record(now - began - sent * everyMs)
    sockets[sent % calls]?.write(frame)
  }
  await new Promise((resolve) => setTimeout(resolve, 1))
}
if (broken !== undefined) throw new Error(broken)
const figures = {
  sent,
  callIds,
  lateness: lateness.counts(),
  seconds: (performance.now() - began) / 1_000,
  cpuSeconds: stopCpu(),
} satisfies AudioSocketFigures
for (const socket of sockets) socket.end(Buffer.from([0, 0, 0]))
await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
report(figures)

async function open(callId: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', (error) => {
    broken ??= `a connection broke: ${error.message}`
  })
  socket.on('data', () => {})
  socket.write(Buffer.from(`010010${callId.replaceAll('-', '')}`, 'hex'))
  return socket
}
