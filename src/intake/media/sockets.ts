// The media protocols over WebSocket: one route each, and what is the same for all of them. A connection is read
// always; who says nothing of a call makes room for the next, and who breaks the protocol is closed, and told why.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { errorReplies, GatewayError } from '../../errors.ts'
import type { MediaParts } from './connection.ts'
import { MediaSocket } from './media-socket.ts'
import type { MediaSecrets, WebSocketProtocol } from './protocol.ts'
import { logRefusedConnections } from './refusals.ts'

/** What the routes need. */
export type MediaSocketsOptions = {
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

/** Of so many connections that have begun no call, the oldest makes room for the next. */
const mostSilent = 2_000
const checkEveryMs = 20_000
const longestSettlingMs = 2_000

/** Builds the routes; connections come and go. */
export function createMediaSockets(options: MediaSocketsOptions): MediaSockets {
  const { protocols, parts, secrets } = options
  const tellRefusal = logRefusedConnections(parts.logger)
  const all = new Set<MediaSocket>()
  /** Those that have begun no call, the oldest first. */
  const silent = new Set<MediaSocket>()
  let isClosing = false

  const checking = setInterval(() => {
    for (const connection of all) connection.check()
  }, checkEveryMs)

  function accept(protocol: WebSocketProtocol, socket: WebSocket, request: FastifyRequest): void {
    const connection = new MediaSocket({
      parts,
      protocol,
      socket,
      request,
      onRefused: tellRefusal,
      onStarted: (own) => silent.delete(own),
      onOver: (own) => {
        all.delete(own)
        silent.delete(own)
      },
    })
    all.add(connection)
    if (!connection.hasStarted) silent.add(connection)
    if (isClosing) void connection.retire()
    if (silent.size <= mostSilent) return
    const [oldest] = silent
    oldest?.refuse('Too many connections say nothing')
    if (oldest !== undefined) silent.delete(oldest)
  }

  const routes: FastifyPluginAsyncTypebox = async (app) => {
    for (const protocol of protocols)
      for (const [index, url] of [`/media/${protocol.name}`, `/media/${protocol.name}/*`].entries())
        app.route({
          method: 'GET',
          url,
          schema: {
            operationId: `open${protocol.name.charAt(0).toUpperCase()}${protocol.name.slice(1)}Media`,
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
            tellRefusal(protocol.name, reason)
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
    isClosing = true
    clearInterval(checking)
    const { promise: patience, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, longestSettlingMs).unref()
    await Promise.race([Promise.all([...all].map((connection) => connection.retire())), patience])
  }

  return { routes, close }
}
