// Supervisors by the thousand who are all cut off at once, and come back at once with their positions. Every one of
// them checks that it hears each event once, in order.
// Usage: fork(crowd.ts, [CrowdOptions as JSON]); says what it does, and is told what to do, as in ../crowd.ts.
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { CrowdOptions, FromCrowd, ToCrowd } from '../crowd.ts'
import { Histogram } from '../statistics.ts'
import { openEventStream } from './event-stream.ts'
import { readOptions, startOwnCpuMeter } from './harness.ts'
import { openWebSocket } from './web-socket.ts'

type Client = { readonly number: number; position: number; socket?: Socket }

const atOnce = 100
const retryMs = 100
const longestWaitMs = 30_000

const { port, transport, clients: size, after } = readOptions<CrowdOptions>()
const clients = Array.from({ length: size }, (_, number): Client => ({ number, position: after }))
const back = new Histogram()
let heard = 0
let wrong = 0
let refused = 0
let dropped = 0
let cutting = false

function hear(client: Client, position: number): void {
  heard += 1
  if (position !== client.position + 1) wrong += 1
  client.position = position
}

function hearMessage(client: Client, text: string): void {
  if (text.startsWith('{"type":"connected"')) return
  // The position is the last field of every event.
  if (text.startsWith('{"type":"resync"')) wrong += 1
  else hear(client, Number(text.slice(text.lastIndexOf(':') + 1, -1)))
}

/** Connects until it is let in. */
async function enter(client: Client): Promise<void> {
  const onClose = () => {
    if (cutting) return
    dropped += 1
    void enter(client)
  }
  for (;;) {
    try {
      const { socket } =
        transport === 'stream'
          ? await openEventStream(port, client.position, (to) => hear(client, to), onClose)
          : await openWebSocket(
              port,
              `/ws/${client.number}?after=${client.position}`,
              (text) => hearMessage(client, text),
              onClose,
            )
      client.socket = socket
      return
    } catch {
      refused += 1
      await pause(retryMs)
    }
  }
}

async function cut(): Promise<void> {
  cutting = true
  for (const { socket } of clients) socket?.resetAndDestroy()
  // Their ends are told before anything else happens.
  await pause(0)
  cutting = false
  const began = performance.now()
  await Promise.all(
    clients.map(async (client) => {
      await enter(client)
      back.record(performance.now() - began)
    }),
  )
  say({ type: 'back', seconds: (performance.now() - began) / 1_000 })
}

async function finish(head: number): Promise<void> {
  const until = performance.now() + longestWaitMs
  while (clients.some(({ position }) => position < head) && performance.now() < until)
    await pause(20)
  const missed = clients.reduce((sum, { position }) => sum + Math.abs(head - position), 0)
  say({
    type: 'figures',
    figures: {
      heard,
      wrong: wrong + missed,
      refused,
      dropped,
      back: back.counts(),
      cpuSeconds: stopCpu(),
    },
  })
}

function say(message: FromCrowd): void {
  process.send?.(message)
}

process.on('message', (told: ToCrowd) => void (told === 'cut' ? cut() : finish(told.head)))
process.on('disconnect', () => process.exit())

for (let first = 0; first < size; first += atOnce)
  await Promise.all(clients.slice(first, first + atOnce).map(enter))
const stopCpu = startOwnCpuMeter()
say({ type: 'connected' })
