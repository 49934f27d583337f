// The pages a person opens: the desk at `/` and the two readers of the API's description. All they load is served
// from here.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Logger } from '../telemetry/logger.ts'
import { findDesk } from './desk.ts'

const packageRoot = join(import.meta.dirname, '..', '..')
const webFolder = join(packageRoot, 'web')

// Nothing of another host, and nothing inline: what a caller says can never become a script. Not upgraded to
// HTTPS, which we do not speak ourselves.
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ReDoc and Swagger UI set styles inline, and ReDoc works in a worker made from a blob.
const documentationPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
  "img-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'"

const notBuilt =
  '<!doctype html><html lang="en"><title>AI PBX Gateway</title><p>The gateway runs, but its desk is not built. ' +
  'In its folder <code>npm ci</code> installs what builds it; the log says what went wrong. The API is ' +
  '<a href="/docs">here</a>.</p></html>'

/** Serves `/`, `/docs`, `/redoc` and `/openapi.json`; builds the desk first where it has to. */
export async function servePages(
  app: FastifyInstance,
  version: string,
  logger: Logger,
): Promise<void> {
  const desk = await findDesk(packageRoot, logger)
  await app.register(fastifyStatic, {
    ...(desk === undefined ? { serve: false } : { root: desk }),
    prefix: '/web/',
    index: false,
    schemaHide: true,
    // The names of files change with what is in them, but for that of the page.
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isPage = path.endsWith('.html')
      reply.header('cache-control', isPage ? 'no-cache' : 'public, max-age=31536000, immutable')
      reply.header('x-content-type-options', 'nosniff')
    },
  })

  app.get(
    '/',
    {
      schema: {
        operationId: 'getRoot',
        summary: 'The desk for a browser, the name of the service for a program',
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
      reply.header('content-security-policy', pagePolicy)
      if (desk !== undefined) return reply.sendFile('index.html')
      return reply.type('text/html; charset=utf-8').send(notBuilt as never)
    },
  )

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: documentationPolicy,
    uiConfig: { deepLinking: true, tryItOutEnabled: true, layout: 'BaseLayout' },
    theme: {
      title: 'API · AI PBX Gateway',
      css: [{ filename: 'docs.css', content: readFileSync(join(webFolder, 'docs.css'), 'utf8') }],
    },
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  const redocPage = readFileSync(join(webFolder, 'redoc.html'), 'utf8')
  app.get('/redoc', { schema: { hide: true } }, (_request, reply) =>
    reply
      .header('content-security-policy', documentationPolicy)
      .type('text/html; charset=utf-8')
      .send(redocPage),
  )
  let redoc: string | undefined
  app.get('/redoc/redoc.standalone.js', { schema: { hide: true } }, (_request, reply) => {
    redoc ??= readRedoc()
    if (redoc === undefined) return reply.callNotFound()
    return reply
      .headers({ 'cache-control': 'public, max-age=3600', 'x-content-type-options': 'nosniff' })
      .type('text/javascript; charset=utf-8')
      .send(redoc)
  })
}

/** The one thing that ReDoc would load from elsewhere: its makers' logo. Where it is none, it shows none. */
const redocLogo = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const noImage = 'data:,'

/** ReDoc's script: built into the published package, in a clone from the development dependency. */
function readRedoc(): string | undefined {
  const file = findRedoc()
  return file && readFileSync(file, 'utf8').replace(redocLogo, noImage)
}

function findRedoc(): string | undefined {
  const built = join(packageRoot, 'dist', 'redoc.standalone.js')
  if (existsSync(built)) return built
  try {
    return createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
  } catch {
    return undefined
  }
}
