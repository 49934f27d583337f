// The pages a person opens: the list of calls at `/` and the two readers of the API's description. All they
// load is served from here.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'

const packageRoot = join(import.meta.dirname, '..', '..')

const deskPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ReDoc sets styles inline and works in a worker made from a blob.
const redocPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
  "img-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'"

/** Serves `/`, `/docs`, `/redoc` and `/openapi.json`. */
export async function servePages(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(packageRoot, 'web'),
    prefix: '/web/',
    index: false,
    schemaHide: true,
    setHeaders: (reply) => {
      reply.header('x-content-type-options', 'nosniff')
    },
  })

  app.get(
    '/',
    {
      schema: {
        operationId: 'getRoot',
        summary: 'The page of live calls for a browser, the name of the service for a program',
        tags: ['gateway'],
        response: {
          200: Type.Object({
            service: Type.String(),
            status: Type.Literal('running'),
            version: Type.String(),
          }),
        },
      },
    },
    async (request, reply) => {
      reply.header('vary', 'accept')
      if (!request.headers.accept?.includes('text/html'))
        return { service: 'AI PBX Gateway', status: 'running' as const, version }
      reply.header('content-security-policy', deskPolicy)
      return reply.sendFile('index.html')
    },
  )

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: (policy) => policy.replace("style-src 'self' https:", "style-src 'self'"),
    uiConfig: { deepLinking: true, tryItOutEnabled: true },
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  app.get('/redoc', { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-security-policy', redocPolicy).sendFile('redoc.html'),
  )
  app.get('/redoc/redoc.standalone.js', { schema: { hide: true } }, (_request, reply) => {
    const script = findRedoc()
    return script === undefined
      ? reply.callNotFound()
      : reply.sendFile('redoc.standalone.js', dirname(script))
  })
}

/** ReDoc's script: built into the published package, in a clone from the development dependency. */
function findRedoc(): string | undefined {
  const built = join(packageRoot, 'dist', 'redoc.standalone.js')
  if (existsSync(built)) return built
  try {
    return createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
  } catch {
    return undefined
  }
}
