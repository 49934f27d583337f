// The honest floor of the feed: a bare `ws` server that sends every client the messages that it is given, at the
// times at which they once came, each with socket.send(). No database, no positions of its own, no resume.
// Usage: fork(feed-broadcast.ts); says its port; told messages, it sends them and says `sent`.
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

/** What the process says to its parent. */
export type FromBroadcast = { readonly port: number } | { readonly sent: number }

/** The greeting, then every message, with the times in milliseconds at which to send them. */
export type ToBroadcast = { readonly messages: { readonly at: number; readonly text: string }[] }

const timestamp = /"timestamp":"[^"]*"/

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket) => socket.send(stamped('{"timestamp":"","position":0}')))
server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
})

function stamped(text: string): string {
  return text.replace(timestamp, `"timestamp":"${new Date().toISOString()}"`)
}

process.on('message', async ({ messages }: ToBroadcast) => {
  const began = performance.now()
  for (const { at, text } of messages) {
    const early = began + at - performance.now()
    if (early > 0) await pause(early)
    const message = stamped(text)
    for (const socket of server.clients) socket.send(message)
  }
  process.send?.({ sent: messages.length })
})
process.on('disconnect', () => process.exit())
