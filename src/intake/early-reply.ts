// A reply to a request whose body nobody reads to its end. A connection that is closed with bytes unread is reset,
// and a reset can overtake the reply: so what still comes is thrown away for a while.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { onSendAsyncHookHandler } from 'fastify'

const longestMs = 2_000

/** Makes such replies arrive; the connection cannot be used again. */
export const replyEarly: onSendAsyncHookHandler = async ({ raw }, reply, payload) => {
  if (raw.complete || typeof payload !== 'string') return payload
  reply.headers({ connection: 'close', 'content-length': Buffer.byteLength(payload) })
  return Readable.from(lastWords(payload, raw))
}

async function* lastWords(reply: string, request: IncomingMessage): AsyncGenerator<string> {
  yield reply
  request.on('data', () => {}).resume()
  const isOver = finished(request).catch(() => {})
  await Promise.race([isOver, pause(longestMs, undefined, { ref: false })])
}
