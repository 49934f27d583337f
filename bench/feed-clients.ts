// Supervisors by the thousand: a process of its own that holds WebSockets to a feed and notes when each message
// arrives. They are raw sockets that know frames by their lengths: every chunk is read into one buffer which all
// sockets share, nobody's JSON is parsed but the first copy of each event, and of every other copy only its
// position is read. So it is cheap, and `clientCpu` says how cheap: well below 1 means that the measured
// latency is the server's.
// Usage: fork(feed-clients.ts, [port, sockets, position to begin after, events of the warm-up]); says `connected`, and figures when asked to report.
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

/** What the process says to its parent. */
export type FromFeedClients =
  | { readonly type: 'connected' }
  | { readonly type: 'figures'; readonly figures: FeedClientFigures }

/** What the parent says: wait for so many events on every socket, then report. */
export type ToFeedClients = { readonly events: number }

/** What the clients heard. */
export type FeedClientFigures = {
  readonly sockets: number
  /** Events heard by all sockets together. */
  readonly messages: number
  /** Events that a socket did not hear, heard twice or out of their order. */
  readonly missed: number
  /**
   * From the `timestamp` of an event until its message was read, over all sockets and all events after the
   * warm-up, in milliseconds.
   */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Processor time of this process while events came, as a share of one core. */
  readonly clientCpu: number
  /** Every event once, as it came. */
  readonly texts: string[]
}

type Client = {
  readonly socket: Socket
  rest: Buffer | undefined
  upgraded: boolean
  heard: number
}

const text = 0x81
const ping = 0x89
/** An empty pong, masked with zeros. */
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])
const connectAtOnce = 100
const longestWaitMs = 15_000

const [port = 0, sockets = 0, after = 0, warmUp = 0] = process.argv.slice(2).map(Number)
const shared = Buffer.allocUnsafe(256 * 1024)
const clients: Client[] = []
/** The greeting and every event, once each. */
const texts: string[] = []
const positions: number[] = []
const createdAt: number[] = []
/** In microseconds. */
const latency = createHistogram()
let wrong = 0

/** Connects a client; resolves with the greeting. */
function startClient(number: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: shared,
        callback: (length) => {
          take(client, shared.subarray(0, length))
          if (client.heard > 0) resolve()
          return true
        },
      },
    })
    const client: Client = { socket, rest: undefined, upgraded: false, heard: 0 }
    clients.push(client)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`client ${number} was disconnected`)))
    socket.write(
      `GET /ws/${number}?after=${after} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
  })
}

/** Takes what a client received: whole frames at once, the rest when more has come. */
function take(client: Client, chunk: Buffer): void {
  const now = Date.now()
  const data = client.rest === undefined ? chunk : Buffer.concat([client.rest, chunk])
  let at = 0
  if (!client.upgraded) {
    const end = data.indexOf('\r\n\r\n')
    if (end !== -1) {
      client.upgraded = true
      at = end + 4
    }
  }
  while (client.upgraded) {
    const length = data[at + 1] ?? 127
    const header = length < 126 ? 2 : 4
    if (at + header > data.length) break
    if (length === 127) throw new Error('a message of 64 KiB is none of ours')
    const end = at + header + (length < 126 ? length : data.readUInt16BE(at + 2))
    if (end > data.length) break
    const opcode = data[at]
    if (opcode === ping) client.socket.write(pong)
    else if (opcode === text) hear(client, data, at + header, end, now)
    else throw new Error(`a frame of kind ${opcode}`)
    at = end
  }
  client.rest = at === data.length ? undefined : Buffer.from(data.subarray(at))
}

function hear(client: Client, data: Buffer, start: number, end: number, now: number): void {
  const number = client.heard
  client.heard += 1
  if (number === texts.length) {
    const message = data.toString('utf8', start, end)
    const { timestamp, position } = JSON.parse(message) as { timestamp: string; position: number }
    texts.push(message)
    positions.push(position)
    createdAt.push(Date.parse(timestamp))
  }
  if (lastNumber(data, end) !== positions[number]) wrong += 1
  // The clock counts whole milliseconds, downwards: to the disadvantage of what is measured.
  if (number > warmUp) latency.record((now + 1 - (createdAt[number] ?? 0)) * 1_000)
}

/** The number with which a JSON object ends: the position. */
function lastNumber(data: Buffer, end: number): number {
  let value = 0
  let scale = 1
  for (let at = end - 2; ; at -= 1) {
    const digit = (data[at] ?? 0) - 48
    if (digit < 0 || digit > 9) return value
    value += digit * scale
    scale *= 10
  }
}

function say(message: FromFeedClients): void {
  process.send?.(message)
}

for (let first = 0; first < sockets; first += connectAtOnce)
  await Promise.all(
    Array.from({ length: Math.min(connectAtOnce, sockets - first) }, (_, index) =>
      startClient(first + index),
    ),
  )
say({ type: 'connected' })
const began = performance.now()
const cpuBefore = process.cpuUsage()

process.once('message', async ({ events }: ToFeedClients) => {
  const until = performance.now() + longestWaitMs
  const arrived = () => clients.every(({ heard }) => heard >= events + 1)
  while (!arrived() && performance.now() < until) await pause(20)
  const { user, system } = process.cpuUsage(cpuBefore)
  const missing = clients.reduce((sum, { heard }) => sum + Math.abs(events + 1 - heard), 0)
  say({
    type: 'figures',
    figures: {
      sockets,
      messages: clients.reduce((sum, { heard }) => sum + heard - 1, 0),
      missed: missing + wrong,
      p50Ms: latency.percentile(50) / 1_000,
      p99Ms: latency.percentile(99) / 1_000,
      maxMs: latency.max / 1_000,
      clientCpu: (user + system) / 1_000 / (performance.now() - began),
      texts,
    },
  })
})
process.on('disconnect', () => process.exit())
