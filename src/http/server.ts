// The HTTP server: limits, validation, errors, documentation. Routes come from the parts themselves.
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import { compileValidator } from '../border/validation.ts'
import { errorCatalogue } from '../errors.ts'
import type { Shortcut, UsualWay } from '../intake/packet-shortcut.ts'
import { replyTo, replyToClientError, replyToErrors } from './error-replies.ts'
import { acceptJsonBodies } from './json-body.ts'
import { limitSlowBodies } from './slow-bodies.ts'

/** The largest body of a request, in bytes: more than a minute of G.711 audio in base64. */
export const bodyLimit = 2 ** 20
/** Of any WebSocket, in bytes; the routes set narrower limits of their own. */
const webSocketMessageLimit = 2 ** 20
/** The close code at a shutdown (RFC 6455 registry: "Service Restart"). */
const serviceRestart = 1012
const patienceWithSocketsMs = 1_000

type SerializerFactory = ReturnType<typeof SerializerSelector>

/** How long a connection is kept on which nothing is asked, in milliseconds. */
export const keepAliveMs = 72_000

/** How long headers, and the body of a request that is no stream, may take to arrive, in milliseconds. */
const slowestHeadersMs = 10_000
const slowestBodyMs = 15_000

/**
 * Builds the server; it does not listen yet.
 * @param shortcut takes every connection first, if there is one
 */
export async function createServer(
  logger: FastifyBaseLogger,
  version: string,
  shortcut?: Shortcut,
) {
  const app = fastify({
    serverFactory: (handler) => {
      const server = createHttpServer(
        { headersTimeout: slowestHeadersMs, requestTimeout: 0, keepAliveTimeout: keepAliveMs },
        handler,
      )
      if (shortcut !== undefined) takeConnectionsFirst(server, shortcut, ask)
      limitSlowBodies(server, slowestBodyMs, isStream)
      return server
    },
    loggerInstance: logger,
    // A line per packet would cost more than the packet.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    // Longer path parameters are refused by their schema, which says why.
    routerOptions: { maxParamLength: 16_384 },
    schemaController: { compilersFactory: { buildSerializer: serializersWhenNeeded } },
    // What arrives on open connections during a shutdown is still served: the ledger closes after the server.
    return503OnClosing: false,
    frameworkErrors: replyTo,
    clientErrorHandler: replyToClientError,
  })
  async function ask({ method, path }: Parameters<UsualWay['ask']>[0]) {
    const { statusCode, headers, payload } = await app.inject({ method, url: path })
    const retryAfter = headers['retry-after']
    return {
      status: statusCode,
      headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
      body: payload,
    }
  }
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    shortcut?.close()
  })
  // Else a client that keeps its connection would hold up the shutdown.
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
  app.setValidatorCompiler(compileValidator)
  replyToErrors(app)
  acceptJsonBodies(app)

  await app.register(websocket, {
    options: { maxPayload: webSocketMessageLimit, perMessageDeflate: false },
    errorHandler: (error: Error & { code?: string }, socket, request) => {
      // A client that breaks the protocol has its socket closed; that is no defect, and logged by the route.
      if (error.code?.startsWith('WS_ERR_') === true) return
      request.log.error({ err: error }, 'a WebSocket failed: a defect')
      socket.terminate()
    },
    preClose: (done) => {
      const { clients } = app.websocketServer
      for (const client of clients) client.close(serviceRestart, 'the gateway restarts')
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate()
      }, patienceWithSocketsMs)
      app.websocketServer.close(() => {
        clearTimeout(timer)
        done()
      })
    },
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'AI PBX Gateway',
        version,
        description: `Packets in, durable before they are acknowledged; every call analysed in the end.

Errors other than 422 have the body \`{"detail": "…", "code": "…"}\`; the codes are:

| code | status | may be retried | meaning |
|---|---|---|---|
${Object.entries(errorCatalogue)
  .map(
    ([code, { status, retryable, meaning }]) =>
      `| ${code} | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
  )
  .join('\n')}`,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'packets', description: 'From the PBX' },
        { name: 'media', description: 'From PBXs, in their own protocols' },
        { name: 'calls', description: 'Their state and their results' },
        { name: 'analysis', description: 'The AI services' },
        { name: 'feed', description: 'Events, live' },
        { name: 'gateway', description: 'The gateway itself' },
      ],
    },
  })
  return app
}

/** Compiles the serializer of a reply for the first one: all of them at once would slow the start down. */
function serializersWhenNeeded(
  ...shared: Parameters<SerializerFactory>
): ReturnType<SerializerFactory> {
  const compile = SerializerSelector()(...shared)
  return (route) => {
    let serialize: ReturnType<typeof compile> | undefined
    return (reply) => {
      serialize ??= compile(route)
      return serialize(reply)
    }
  }
}

/** Puts the shortcut in front of what Node does with a new connection. */
function takeConnectionsFirst(server: Server, shortcut: Shortcut, ask: UsualWay['ask']): void {
  const usual = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) =>
    shortcut.take(socket, {
      ask,
      take: () => {
        for (const listener of usual) listener.call(server, socket)
      },
      refuse: () => server.emit('clientError', new Error('It broke off in a request'), socket),
    }),
  )
}

function isStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.toLowerCase().startsWith('application/x-ndjson') === true
}
