// The media protocols over WebSocket: one route each, and what is the same for all of them. A connection is read
// always; what it has to say and how much is limited; one that breaks its protocol is closed, and told why.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { RawData, WebSocket } from 'ws'
import { errorReplies, GatewayError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { MediaConnection, type MediaParts } from './connection.ts'
import { type MediaSecrets, ProtocolViolation, type WebSocketProtocol } from './protocol.ts'

/** What the routes need. */
export type MediaSocketOptions = {
  readonly protocols: readonly WebSocketProtocol[]
  readonly parts: MediaParts
  readonly secrets: MediaSecrets
}

/** The media connections of this process. */
export type MediaSockets = {
  /** `ws://…/media/<protocol>`. */
  readonly routes: FastifyPluginAsyncTypebox
  /** Ends all streams where they are, and closes the sockets; the PBX may connect to another gateway. */
  readonly close: () => Promise<void>
}

const longestText = 64 * 2 ** 10
const longestBinary = 64 * 2 ** 10
/** How long a connection may say nothing of a call, at first and between two calls, in milliseconds. */
const silentMs = 10_000
/** Of so many connections that have begun no call, the oldest makes room for the next. */
const mostSilent = 2_000
const pingEveryMs = 20_000
const longestSettlingMs = 2_000
/** Close codes of RFC 6455, 7.4.1. */
const closeCodes = { violation: 1008, tooBig: 1009, restart: 1012, done: 1000 }
/** A close frame holds 125 bytes, two of them the code. */
const longestReason = 123

type Connected = {
  readonly socket: WebSocket
  readonly connection: MediaConnection
  isAlive: boolean
}

/** Builds the routes; connections come and go. */
export function createMediaSockets(options: MediaSocketOptions): MediaSockets {
  const { protocols, parts, secrets } = options
  const { logger } = parts
  const all = new Set<Connected>()
  const silent = new Set<Connected>()

  const pinging = setInterval(() => {
    for (const connected of all) {
      if (!connected.isAlive) connected.socket.terminate()
      connected.isAlive = false
      if (connected.socket.readyState === connected.socket.OPEN) connected.socket.ping()
    }
  }, pingEveryMs)

  function accept(protocol: WebSocketProtocol, socket: WebSocket, request: FastifyRequest): void {
    const connection = new MediaConnection(parts, protocol.name)
    const connected: Connected = { socket, connection, isAlive: true }
    all.add(connected)
    silent.add(connected)
    let violation: string | undefined
    if (silent.size > mostSilent) {
      const [oldest] = silent
      oldest?.socket.close(closeCodes.violation, 'Too many connections say nothing')
      if (oldest !== undefined) silent.delete(oldest)
    }
    const silence = setTimeout(() => {
      if (!connection.hasStarted) refuse(`No call was begun within ${silentMs / 1_000} s`)
    }, silentMs)

    function refuse(reason: string, code = closeCodes.violation): void {
      violation ??= reason
      logger.warn({ protocol: protocol.name, reason }, 'a media connection is refused')
      socket.close(code, shorten(reason))
    }

    const receiver = protocol.connect({
      query: new URL(request.url, 'ws://gateway').searchParams,
      headers: request.headers,
      start: (start) => {
        silent.delete(connected)
        return connection.start(start)
      },
      send: (message) => {
        if (socket.readyState === socket.OPEN) socket.send(message)
      },
      close: (reason) => socket.close(closeCodes.done, shorten(reason)),
    })
    socket.on('pong', () => {
      connected.isAlive = true
    })
    socket.on('message', (data: RawData, isBinary: boolean) => {
      connected.isAlive = true
      if (violation !== undefined) return
      const bytes = Buffer.isBuffer(data) ? data : Buffer.concat([data].flat().map(toBuffer))
      const limit = isBinary ? (protocol.longestBinary ?? longestBinary) : longestText
      if (bytes.length > limit) {
        refuse(`A message should have at most ${limit} bytes, but has ${bytes.length}`, 1009)
        return
      }
      try {
        if (isBinary) receiver.binary(bytes)
        else receiver.text(bytes.toString())
      } catch (error) {
        if (error instanceof ProtocolViolation) refuse(error.message)
        else {
          logger.error({ err: error, protocol: protocol.name }, 'a message failed: a defect')
          refuse('Internal error')
        }
      }
    })
    socket.on('close', (code) => {
      clearTimeout(silence)
      all.delete(connected)
      silent.delete(connected)
      void connection.over({ code, ...(violation === undefined ? {} : { reason: violation }) })
    })
    socket.on('error', (error) =>
      logger.debug({ protocol: protocol.name, reason: error.message }, 'a media connection broke'),
    )
  }

  const routes: FastifyPluginAsyncTypebox = async (app) => {
    for (const protocol of protocols)
      for (const [index, url] of [`/media/${protocol.name}`, `/media/${protocol.name}/*`].entries())
        app.route({
          method: 'GET',
          url,
          schema: {
            operationId: `media_${protocol.name}`,
            summary: `Media of ${protocol.name}`,
            description: `A WebSocket. See docs/pbx for what to tell the PBX.`,
            tags: ['media'],
            hide: index > 0,
            response: {
              101: Type.Unsafe({ type: 'null', description: 'The WebSocket is open' }),
              ...errorReplies('upgrade_required', 'signature_refused'),
            },
          },
          preValidation: async ({ method, url: target, headers }) => {
            const reason = protocol.authenticate?.({ method, target, headers }, secrets)
            if (reason === undefined) return
            logRefusal(logger, protocol, reason)
            throw new GatewayError('signature_refused', reason)
          },
          handler: async (_request, reply) => {
            reply.headers({ upgrade: 'websocket', connection: 'upgrade' })
            throw new GatewayError('upgrade_required', 'A PBX connects here by WebSocket')
          },
          wsHandler: (socket, request) => accept(protocol, socket, request),
        })
  }

  async function close(): Promise<void> {
    clearInterval(pinging)
    const settling = [...all].map(async ({ socket, connection }) => {
      await connection.over({ code: closeCodes.restart })
      socket.close(closeCodes.restart, 'the gateway restarts')
    })
    const { promise: patience, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, longestSettlingMs).unref()
    await Promise.race([Promise.all(settling), patience])
  }

  return { routes, close }
}

function logRefusal(logger: Logger, { name }: WebSocketProtocol, reason: string): void {
  logger.warn({ protocol: name, reason }, 'a media connection is refused')
}

function toBuffer(part: Buffer | ArrayBuffer): Buffer {
  return Buffer.isBuffer(part) ? part : Buffer.from(part)
}

function shorten(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= longestReason ? reason : `${bytes.subarray(0, longestReason - 4)}`
}
