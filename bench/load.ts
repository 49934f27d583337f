// The load: a process of its own that posts one packet a request over keep-alive connections, each waiting for
// its answer before the next, over raw sockets so that the client costs little. Prints its figures as JSON.
// Usage: load.ts <port> <run name> <connections> <calls> <seconds>
import { connect } from 'node:net'
import { createHistogram } from 'node:perf_hooks'

/** What a run of the load measured. */
export type LoadFigures = {
  readonly perSecond: number
  readonly answered: number
  /** Answers other than 202. */
  readonly refused: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the load itself, as a share of one core. */
  readonly clientCpu: number
}

const [port = '', run = '', ...numbers] = process.argv.slice(2)
const [connections = 64, calls = 500, seconds = 5] = numbers.map(Number)

// 20 ms of G.711: 160 bytes, in base64.
const data = Buffer.alloc(160, 0xd5).toString('base64')
const latency = createHistogram()
const sequences = new Array<number>(calls).fill(0)
let answered = 0
let refused = 0
const began = performance.now()
const end = began + seconds * 1_000

function startConnection(first: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    let call = first
    let sentAt = 0
    let received = ''

    function next(): void {
      if (performance.now() >= end) {
        socket.end()
        resolve()
        return
      }
      call = call + connections < calls ? call + connections : first
      const sequence = (sequences[call] ?? 0) + 1
      sequences[call] = sequence
      const body = `{"sequence":${sequence},"data":"${data}","timestamp":${1732147200 + sequence / 50}}`
      sentAt = performance.now()
      socket.write(
        `POST /v1/call/stream/${run}-${call} HTTP/1.1\r\nHost: localhost\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    }

    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      const header = received.indexOf('\r\n\r\n')
      if (header === -1) return
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1])
      if (received.length < header + 4 + length) return
      latency.record(Math.max(1, Math.round((performance.now() - sentAt) * 1_000)))
      answered += 1
      if (!received.startsWith('HTTP/1.1 202')) refused += 1
      received = ''
      next()
    })
  })
}

await Promise.all(Array.from({ length: connections }, (_, index) => startConnection(index)))
const elapsed = (performance.now() - began) / 1_000
const cpu = process.cpuUsage()
const figures: LoadFigures = {
  perSecond: Math.round(answered / elapsed),
  answered,
  refused,
  p50Ms: latency.percentile(50) / 1_000,
  p99Ms: latency.percentile(99) / 1_000,
  clientCpu: (cpu.user + cpu.system) / 1e6 / elapsed,
}
console.log(JSON.stringify(figures))
