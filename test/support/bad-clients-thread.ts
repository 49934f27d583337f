// Clients that break every rule, of every listener of media: each misbehaves, and is gone, or stays as long as the
// gateway lets it. They run in a thread of their own, so that good clients beside them keep their time.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import WebSocket from 'ws'
import { webSocketProtocols } from '../../src/intake/media/protocols.ts'
import { seededRandom } from '../../src/random.ts'
import type { BadClientsOptions } from './bad-clients.ts'

const { url, audioSocketPort, seed, silent } = workerData as BadClientsOptions
const betweenStormsMs = 200
const mebibyte = 2 ** 20
const paths = webSocketProtocols.map(({ name }) => `/media/${name}`)
const wrongSignatures: readonly (readonly [path: string, headers: Record<string, string>])[] = [
  ['/media/twilio', { 'x-twilio-signature': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ['/media/fonoster', { 'x-fonoster-signature': 'sha256=00' }],
  ['/media/genesys', { 'x-api-key': 'wrong', signature: 'sig1=:AA==:', 'signature-input': '(' }],
]

const random = seededRandom(seed)
const { hostname: host, port: httpPort } = new URL(url)
const ports = [Number(httpPort), audioSocketPort]
const endings = new Map<string, number>()
const open = new Set<() => void>()

const bytes = (length: number) =>
  Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)))

function count(ending: string): void {
  endings.set(ending, (endings.get(ending) ?? 0) + 1)
}

/** Connects by TCP, says something, and stays until it is hung up. */
async function tcp(port: number, say: (socket: Socket) => void): Promise<void> {
  const socket = connect({ host, port: port, noDelay: true })
  const cut = () => socket.destroy()
  open.add(cut)
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.on('close', () => {
    if (open.delete(cut)) count('hung up')
  })
  await new Promise<void>((resolve) => {
    socket.on('connect', () => {
      say(socket)
      resolve()
    })
    socket.on('close', () => resolve())
  })
}

async function webSocket(
  path: string,
  say: (socket: WebSocket) => void,
  headers: Record<string, string> = {},
): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers })
  const cut = () => socket.terminate()
  open.add(cut)
  socket.on('error', () => {})
  socket.on('close', (code) => {
    if (open.delete(cut)) count(`${code}`)
  })
  await new Promise<void>((resolve) => {
    socket.on('open', () => {
      say(socket)
      resolve()
    })
    socket.on('unexpected-response', (_request, response) => {
      count(`${response.statusCode}`)
      open.delete(cut)
      socket.terminate()
      resolve()
    })
    socket.on('close', () => resolve())
  })
}

/** A header of a WebSocket frame that promises more than there is memory. */
const endlessFrame = Buffer.from('82ff1000000000000000', 'hex')

async function storm(): Promise<void> {
  await Promise.all([
    ...ports.flatMap((port) => [
      tcp(port, (socket) => socket.write(bytes(4_096))),
      tcp(port, (socket) => socket.write(bytes(1))),
    ]),
    // A frame of 64 KiB where 16 KB are allowed, one that never ends, and half of a header.
    tcp(audioSocketPort, (socket) => socket.write(Buffer.from('010010', 'hex'))),
    tcp(audioSocketPort, (socket) => {
      socket.write(Buffer.concat([Buffer.from('010010', 'hex'), bytes(16)]))
      socket.write(Buffer.concat([Buffer.from('10ffff', 'hex'), bytes(65_535)]))
    }),
    tcp(audioSocketPort, (socket) => socket.write(Buffer.from('1001', 'hex'))),
    // Headers without an end, and some of 1 MiB.
    tcp(Number(httpPort), (socket) => {
      socket.write('GET /media/twilio HTTP/1.1\r\nHost: gateway\r\nUpgrade: websock')
    }),
    tcp(Number(httpPort), (socket) => {
      socket.write(`GET /media/twilio HTTP/1.1\r\nX: ${'x'.repeat(mebibyte)}\r\n\r\n`)
    }),
    ...wrongSignatures.map(([path, headers]) => webSocket(path, () => {}, headers)),
    ...paths.flatMap((path) => [
      webSocket(path, (socket) => socket.send(bytes(700))),
      webSocket(path, (socket) => socket.send(bytes(700).toString('latin1'))),
      webSocket(path, (socket) => socket.send(bytes(1_024).fill(0, 100), { fin: false })),
      webSocket(path, (socket) => socket.send(Buffer.alloc(2 * mebibyte))),
      webSocket(path, (socket) => socket.send('{"event":"start",'.padEnd(mebibyte))),
      webSocket(path, (socket) => socket.send('[0]'.repeat(10_000))),
      webSocket(path, rawWrite(endlessFrame)),
    ]),
  ])
}

async function beSilent(): Promise<void> {
  for (let done = 0; done < silent; done += 100)
    await Promise.all([
      ...ports.flatMap((port) => Array.from({ length: 40 }, () => tcp(port, () => {}))),
      ...Array.from({ length: 20 }, (_, index) =>
        webSocket(paths[index % paths.length] ?? '', () => {}),
      ),
    ])
}

let isOver = false
const stop = once(parentPort ?? new EventTarget(), 'message').then(() => {
  isOver = true
})
await storm()
parentPort?.postMessage('begun')
await beSilent()
while (!isOver) {
  await storm()
  await Promise.race([stop, pause(betweenStormsMs)])
}
for (const cut of [...open]) {
  open.delete(cut)
  cut()
}
parentPort?.postMessage(endings)
parentPort?.close()

/** Writes below the WebSocket, which would not send such a thing. */
function rawWrite(frame: Buffer): (socket: WebSocket) => void {
  return (socket) => {
    const { _socket: below } = socket as unknown as { readonly _socket: Socket }
    below.write(frame)
  }
}
