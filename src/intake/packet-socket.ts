// The stream over WebSocket: routes, and one connection after the other. What is said on it: docs/streams.md.
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '@fastify/websocket'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { parseJson } from '../border/json.ts'
import { refusalOf } from '../border/refusals.ts'
import { compileCheck, InvalidInput } from '../border/validation.ts'
import { readMessages } from '../border/web-socket-messages.ts'
import { CallIdField, CallIdParameter } from '../calls/call-id.ts'
import type { CompleteOnRequest } from '../calls/complete.ts'
import { errorReplies, GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Packet, TrackName } from '../ledger/packet.ts'
import type { Logger } from '../telemetry/logger.ts'
import { readBinaryPacket } from './binary-packet.ts'
import type { DeclaredFormats } from './declared-formats.ts'
import {
  declaredFormat,
  PacketQuery,
  packetOf,
  StreamedPacketBody,
  type StreamedPacketFields,
} from './packet-body.ts'
import { PacketStream } from './packet-stream.ts'
import { readPlainPacket } from './plain-packet.ts'
import { SocketAccount } from './socket-account.ts'

/** What the routes need. */
export type PacketSocketOptions = {
  readonly ledger: Pick<Ledger, 'append'>
  readonly formats: DeclaredFormats
  readonly complete: CompleteOnRequest
  readonly logger: Logger
}

const checkPacket = compileCheck(StreamedPacketBody)
const checkOpen = compileCheck(
  Type.Object({ channel: Type.Integer({ minimum: 1, maximum: 65_535 }), call_id: CallIdField }),
)
const checkType = compileCheck(Type.Object({ type: Type.Enum(['open', 'complete']) }))
const checkComplete = compileCheck(Type.Object({ call_id: Type.Optional(CallIdField) }))

/** A client that leaves so many bytes of acknowledgements unread is not read either. */
const maxUnreadBytes = 2 ** 20
const unreadPollMs = 20
/** Completions of one socket under way at once; beyond that it is not read either. */
const mostCompleting = 1_024
const pingEveryMs = 30_000
/** At a shutdown: what is stored later is not acknowledged, and sent again by its sender. */
const longestSettlingMs = 5_000
/** The close code at a shutdown (RFC 6455 registry: "Service Restart"). */
const serviceRestart = 1012

/** The packet streams of this process. */
export type PacketSockets = {
  /** `ws://…/v1/call/stream/{call_id}`. */
  readonly routes: FastifyPluginAsyncTypebox
  /** Reads no more, acknowledges what was read, and closes the sockets. */
  readonly close: () => Promise<void>
}

/** Builds the routes; sockets come and go. */
export function createPacketSockets(options: PacketSocketOptions): PacketSockets {
  const sockets = new Map<WebSocket, SocketState>()

  const pinging = setInterval(() => {
    for (const [socket, state] of sockets) {
      // A socket that is not read has no way to answer.
      if (!state.isAlive && !socket.isPaused) socket.terminate()
      state.isAlive = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }
  }, pingEveryMs)

  const routes: FastifyPluginAsyncTypebox = async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/call/stream/:call_id',
      schema: {
        operationId: 'openPacketStream',
        summary: 'Stream packets of a call, or of many',
        description: 'A WebSocket. See docs/streams.md for its messages.',
        tags: ['packets'],
        params: CallIdParameter,
        querystring: PacketQuery,
        response: {
          101: Type.Unsafe({ type: 'null', description: 'The WebSocket is open' }),
          ...errorReplies('upgrade_required', 'validation_failed'),
        },
      },
      handler: async (_request, reply) => {
        reply.headers({ upgrade: 'websocket', connection: 'upgrade' })
        throw new GatewayError(
          'upgrade_required',
          'Packets are sent here by POST or over a WebSocket',
        )
      },
      wsHandler: (socket, { params: { call_id }, query, raw }) => {
        const { track = 'mixed' } = query
        const format = declaredFormat(query)
        const ledger = format === undefined ? options.ledger : options.formats.ledgerFor(format)
        const heard = () => {
          state.isAlive = true
        }
        const stream = attach(socket, raw.socket, call_id, track, { ...options, ledger, heard })
        const state = { isAlive: true, stream }
        sockets.set(socket, state)
        socket.on('pong', heard)
        socket.on('close', () => sockets.delete(socket))
        socket.on('error', (error) =>
          options.logger.debug({ call_id, reason: error.message }, 'a packet stream broke'),
        )
      },
    })
  }

  async function close(): Promise<void> {
    clearInterval(pinging)
    const settling = [...sockets].map(async ([socket, { stream }]) => {
      socket.pause()
      await stream.allSettled()
      socket.close(serviceRestart, 'the gateway restarts')
      // To hear the answer to that; what else comes is not taken any more.
      socket.resume()
    })
    await Promise.race([Promise.all(settling), pause(longestSettlingMs, undefined, { ref: false })])
  }

  return { routes, close }
}

type SocketState = { isAlive: boolean; readonly stream: PacketStream }

function attach(
  socket: WebSocket,
  connection: Socket,
  callOfPath: string,
  trackOfPath: TrackName,
  { ledger, complete, logger, heard }: PacketSocketOptions & { readonly heard: () => void },
): PacketStream {
  const channels = new Map<number, string>([[0, callOfPath]])
  const account = new SocketAccount((messages) => {
    // A commit may settle packets of many calls: one write tells of all.
    connection.cork()
    for (const message of messages) send(JSON.stringify(message))
    connection.uncork()
  })
  const stream = new PacketStream({
    ledger,
    onSettled: (packets, outcome) => account.settled(packets, outcome),
    onRoom: readOn,
  })
  let completing = 0

  function send(text: string): void {
    if (socket.readyState !== socket.OPEN) return
    socket.send(text)
    if (socket.isPaused || socket.bufferedAmount <= maxUnreadBytes) return
    socket.pause()
    setTimeout(readOn, unreadPollMs)
  }

  /** Reads the socket again, unless too much of it is under way, or its client does not read. */
  function readOn(): void {
    if (!socket.isPaused || stream.isPaused || stream.isEnding) return
    if (completing >= mostCompleting) return
    if (socket.bufferedAmount > maxUnreadBytes / 2) setTimeout(readOn, unreadPollMs)
    else socket.resume()
  }

  function takeText(text: Buffer): void {
    const packet = readPlainPacket(text, callOfPath, trackOfPath)
    if (packet === undefined) takeMessage(parseJson(text))
    else append(packet)
  }

  function takeMessage(message: unknown): void {
    const type = typeOf(message)
    if (type === undefined) {
      const problems = checkPacket(message)
      if (problems !== undefined) throw new InvalidInput(problems)
      const fields = message as StreamedPacketFields
      append(packetOf(fields.call_id ?? callOfPath, fields.track ?? trackOfPath, fields))
    } else if (type === 'open') {
      const problems = checkOpen(message)
      if (problems !== undefined) throw new InvalidInput(problems)
      const { channel, call_id } = message as { channel: number; call_id: string }
      channels.set(channel, call_id)
    } else if (type === 'complete') {
      const problems = checkComplete(message)
      if (problems !== undefined) throw new InvalidInput(problems)
      const { call_id = callOfPath } = message as { call_id?: string }
      completing += 1
      if (completing >= mostCompleting) socket.pause()
      account.whenSettled(call_id, () => void completeCall(call_id))
    } else throw new InvalidInput(checkType(message) ?? [])
  }

  function append(packet: Packet): void {
    account.sent(packet)
    stream.append(packet)
    if (stream.isPaused) socket.pause()
  }

  async function completeCall(callId: string): Promise<void> {
    try {
      const { status } = await complete(callId)
      account.forget(callId)
      send(JSON.stringify({ type: 'completed', call_id: callId, status }))
    } catch (error) {
      refuse(error, { call_id: callId })
    }
    completing -= 1
    readOn()
  }

  function refuse(error: unknown, about: { readonly call_id?: string } = {}): void {
    const cause = error instanceof Error ? error : new GatewayError('internal', 'Internal error')
    const { status, body } = refusalOf(cause)
    if (status === 500) logger.error({ err: error }, 'a message failed: a defect')
    send(JSON.stringify({ type: 'error', code: 'validation_failed', ...body, ...about }))
  }

  readMessages(socket, {
    take: (bytes, isBinary) => {
      heard()
      if (stream.isEnding) return
      try {
        if (isBinary) append(readBinaryPacket(bytes, channels))
        else takeText(bytes)
      } catch (error) {
        refuse(error)
      }
    },
  })
  return stream
}

function typeOf(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  return message.type === 'packet' ? undefined : message.type
}
