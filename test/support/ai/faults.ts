// The ways in which an AI service fails.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Random } from '../../../src/random.ts'
import { type AiServer, type Fault, type Reply, send } from './ai-server.ts'

/** Says something else. */
export function says(reply: Reply): Fault {
  return (response) => send(response, reply)
}

/** Never answers. */
export const hangs: Fault = () => {}

/** Begins a good answer, and stops in the middle. */
export const stalls: Fault = async (response, work) => {
  const { status, body } = await work()
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
  response.write(body.slice(0, 5))
}

/** Sends a byte of whitespace now and again, for ever. */
export function drips(everyMs: number): Fault {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), everyMs)
    response.on('close', () => clearInterval(timer))
  }
}

/** Breaks the connection without an answer. */
export const resets: Fault = (response) => response.socket?.resetAndDestroy()

/** Does the work, and breaks the connection before it says so. */
export const worksAndResets: Fault = async (response, work) => {
  await work()
  response.socket?.resetAndDestroy()
}

/** An answer of any size, as fast as it is taken; counts the bytes that went out. */
export function floods(bytes: number, sent = { bytes: 0 }, status = 200): Fault {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  function* flood() {
    for (; sent.bytes < bytes; sent.bytes += chunk.length) yield chunk
  }
  return async (response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    await pipeline(Readable.from(flood()), response)
  }
}

/** Misbehaves for a share of the requests. */
export function sometimes(share: number, random: Random, fault: Fault): AiServer['misbehave'] {
  return () => (random() < share ? fault : undefined)
}

/** The URL of a port on which nobody listens. */
export async function refusingUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}
